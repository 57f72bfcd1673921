import { useEffect, useRef, useState } from 'react'
import { address, get, type LogLine, type LogPage, Problem } from '../api'
import { dateTime, timeOfDay } from '../format'
import { useTick } from '../live'
import { useRouter } from '../router'
import { Empty, Heading, Trouble, useInfo } from '../ui'
import { Search } from './rooms'

/** More than anybody reads, few enough to scroll smoothly. */
const most = 1000

const names = ['authorize', 'connect', 'message', 'disconnect', 'checkpoint', 'stream']

interface Tail {
  key: string
  lines: LogLine[]
  next: string
  missed: boolean
}

export function Logs() {
  const { query, set } = useRouter()
  const text = query.get('q') ?? ''
  const level = query.get('level') ?? ''
  const name = query.get('function') ?? ''
  const [follow, setFollow] = useState(true)
  const [tail, setTail] = useState<Tail | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  const tick = useTick(useInfo().kind === 'cloud' ? 10 : 2)
  const filter = JSON.stringify([text, level, name])
  const latest = useRef(tail)
  latest.current = tail
  useEffect(() => {
    const before = latest.current?.key === filter ? latest.current : undefined
    if (before !== undefined && !follow) return
    const controller = new AbortController()
    get<LogPage>(address('/api/logs', { q: text, level, function: name, after: before?.next, limit: before === undefined ? 300 : most }), controller.signal)
      .then(page => {
        setProblem(undefined)
        // CloudWatch's lines come late and are read twice: each is shown once.
        const known = new Set(before?.lines.map(l => l.id))
        const lines = [...(before?.lines ?? []), ...page.lines.filter(l => !known.has(l.id))]
        setTail({ key: filter, lines: lines.slice(-most), next: page.next, missed: page.missed })
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setProblem(error instanceof Problem ? error : new Problem(0, String(error)))
      })
    return () => controller.abort()
  }, [filter, tick, follow])

  // Stays at the newest line, unless somebody has scrolled up to read.
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const l = list.current
    if (l !== null && follow && atEnd.current) l.scrollTop = l.scrollHeight
  }, [tail, follow])

  const shown = tail?.key === filter ? tail : undefined
  const options = names.includes(name) || name === '' ? names : [...names, name]
  return (
    <>
      <Heading title="Logs" />
      <div className="toolbar">
        <Search value={text} onChange={q => set({ q })} label="Filter lines by text" />
        <label className="select">
          <span>Level</span>
          <select value={level} onChange={e => set({ level: e.target.value })}>
            <option value="">all</option>
            <option value="warn">warnings and errors</option>
            <option value="error">errors</option>
          </select>
        </label>
        <label className="select">
          <span>Function</span>
          <select value={name} onChange={e => set({ function: e.target.value })}>
            <option value="">all</option>
            {options.map(n => (
              <option key={n}>{n}</option>
            ))}
          </select>
        </label>
        <label className="check">
          <input type="checkbox" checked={follow} onChange={e => setFollow(e.target.checked)} />
          Follow
        </label>
      </div>
      {problem !== undefined &&
        (problem.status === 501 ? (
          <Empty title="No log here">
            <p>{problem.message}</p>
          </Empty>
        ) : (
          <Trouble problem={problem} />
        ))}
      {shown?.missed === true && <p className="aside">Some lines between were more than are kept.</p>}
      {shown !== undefined && shown.lines.length === 0 ? (
        <Empty title="No lines">
          <p>{text !== '' || level !== '' || name !== '' ? 'Nothing in the log matches.' : 'Nothing worth a line has happened yet. Edits themselves are not logged.'}</p>
        </Empty>
      ) : (
        shown !== undefined && (
          <div
            className="log"
            role="region"
            aria-label="Log"
            tabIndex={0}
            ref={list}
            onScroll={e => {
              const l = e.currentTarget
              atEnd.current = l.scrollHeight - l.scrollTop - l.clientHeight < 24
            }}
          >
            <ol>
              {shown.lines.map(l => (
                <li key={l.id} className={`log-line ${l.level}`}>
                  <time dateTime={l.at} title={dateTime(Date.parse(l.at))}>
                    {timeOfDay(Date.parse(l.at))}
                  </time>
                  <span className="log-level">{l.level}</span>
                  <span className="log-function">{l.function}</span>
                  <span className="log-text">
                    {l.text} {l.fields !== undefined && <span className="log-fields">{l.fields}</span>}
                  </span>
                </li>
              ))}
            </ol>
          </div>
        )
      )}
    </>
  )
}
