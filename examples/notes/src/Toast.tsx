import { useEffect, useEffectEvent, useState } from 'react'

/** How long an action is offered. */
const SHOWN_MS = 8_000

/** An action that is offered for a while, and for as long as somebody is about to take it. */
export function Toast ({ text, action, onAction, onEnd }: { text: string, action: string, onAction: () => void, onEnd: () => void }) {
  const [held, setHeld] = useState(false)
  const end = useEffectEvent(onEnd)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => { end() }, SHOWN_MS)
    return () => { clearTimeout(timer) }
  }, [text, held])
  const hold = () => { setHeld(true) }
  const release = () => { setHeld(false) }
  return (
    <div className="toast" role="status" onPointerEnter={hold} onPointerLeave={release} onFocus={hold} onBlur={release}>
      {text}
      <button className="button" onClick={onAction}>{action}</button>
    </div>
  )
}
