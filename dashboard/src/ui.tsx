import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react'
import type { Info, Problem } from './api'
import { ago, dateTime, known } from './format'
import { useLive } from './live'

export const InfoContext = createContext<Info | undefined>(undefined)

export function useInfo(): Info {
  const info = useContext(InfoContext)
  if (info === undefined) throw new Error('useInfo outside of InfoContext')
  return info
}

let headed: string | undefined

/**
 * The heading of a view. It gets the focus when the view follows another, so that a
 * screen reader says where one is; the first keeps its hands off a focus already moved.
 */
export function Heading({ title, children, aside }: { title: string; children?: ReactNode; aside?: ReactNode }) {
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Symphony`
    if (headed !== undefined && headed !== title && document.activeElement !== document.body) ref.current?.focus({ preventScroll: true })
    headed = title
  }, [title])
  return (
    <div className="heading">
      <div className="heading-text">
        <h1 ref={ref} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
      {aside !== undefined && <div className="heading-aside">{aside}</div>}
    </div>
  )
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div className="trouble" role="alert">
      <Icon name="warning" />
      <p>{problem.message}</p>
      {again !== undefined && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** What stands where a figure is not known. It never is a zero. */
export function Unknown({ why }: { why?: string | undefined }) {
  return (
    <span className="unknown" title={why}>
      not measured here
    </span>
  )
}

/** How long ago, with the exact time for those who want it. */
export function Ago({ at }: { at: string }) {
  const { now } = useLive()
  const ms = known(at)
  if (ms === undefined) return <span className="faint">unknown</span>
  return (
    <time dateTime={at} title={dateTime(ms)}>
      {ago(ms, now)}
    </time>
  )
}

const paths = {
  warning: 'M12 4 21 20H3L12 4Zm0 6v4m0 3v.5',
  search: 'M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13Zm5-1.5L21 21',
  up: 'M12 19V5m-6 6 6-6 6 6',
  down: 'M12 5v14m-6-6 6 6 6-6',
  sun: 'M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  screen: 'M3 5h18v12H3V5Zm6 16h6m-3-4v4',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  right: 'm9 5 7 7-7 7',
  back: 'm14 5-7 7 7 7'
} as const

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

/** A few choices, one of them taken. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange
}: {
  label: string
  value: T
  options: readonly { value: T; text: ReactNode; name?: string }[]
  onChange: (value: T) => void
}) {
  return (
    <div className="choice" role="group" aria-label={label}>
      {options.map(o => (
        <button key={o.value} type="button" aria-pressed={o.value === value} aria-label={o.name} title={o.name} onClick={() => onChange(o.value)}>
          {o.text}
        </button>
      ))}
    </div>
  )
}

export const windows = [
  { value: '1h', text: '1 h', name: '1 h, the last hour' },
  { value: '24h', text: '24 h', name: '24 h, the last 24 hours' },
  { value: '7d', text: '7 d', name: '7 d, the last 7 days' }
] as const

export type Window = (typeof windows)[number]['value']

export const spoken: Record<Window, string> = { '1h': 'last hour', '24h': 'last 24 hours', '7d': 'last 7 days' }

export function windowOf(query: URLSearchParams): Window {
  const w = query.get('window')
  return w === '24h' || w === '7d' ? w : '1h'
}

/** The series of a window are asked for as often as they get a new value worth drawing. */
export const windowTick: Record<Window, number> = { '1h': 5, '24h': 60, '7d': 300 }

const Say = createContext<(text: string) => void>(() => undefined)

/** Says something once, to screen readers and as a note at the page's foot. */
export const useSay = () => useContext(Say)

export function SayProvider({ children }: { children: ReactNode }) {
  const [text, setText] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const say = useCallback((next: string) => {
    clearTimeout(timer.current)
    setText(next)
    timer.current = setTimeout(() => setText(''), 6000)
  }, [])
  return (
    <Say value={say}>
      {children}
      <div role="status" className={text === '' ? 'note unseen' : 'note'}>
        {text}
      </div>
    </Say>
  )
}
