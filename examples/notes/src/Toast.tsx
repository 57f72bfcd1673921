import { useEffect, useEffectEvent } from 'react'

/** How long an action is offered. */
const SHOWN_MS = 8_000

export function Toast ({ text, action, onAction, onEnd }: { text: string, action: string, onAction: () => void, onEnd: () => void }) {
  const end = useEffectEvent(onEnd)
  useEffect(() => {
    const timer = setTimeout(() => { end() }, SHOWN_MS)
    return () => { clearTimeout(timer) }
  }, [text])
  return (
    <div className="toast" role="status">
      {text}
      <button className="button" onClick={onAction}>{action}</button>
    </div>
  )
}
