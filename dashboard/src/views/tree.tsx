import { useEffect, useState } from 'react'
import { address, type Child, type DocumentNode } from '../api'
import { bytes, count } from '../format'
import { useAnswer } from '../query'
import { Icon, Trouble } from '../ui'

// The document as a tree, of which only what is open was asked for. It is
// marked up as nested lists with buttons: every screen reader and keyboard knows
// those, and role="tree" promises a keyboard of its own.

export function Tree({ room, version }: { room: string; version: number }) {
  const [live, setLive] = useState(true)
  const [shown, setShown] = useState(version)
  // A room in use changes several times a second; two seconds are live enough.
  useEffect(() => {
    if (!live || shown === version) return
    const timer = setTimeout(() => setShown(version), 1500)
    return () => clearTimeout(timer)
  }, [live, shown, version])
  const root = useAnswer<DocumentNode>(address('/api/room/document', { room }), shown)
  return (
    <section className="card" aria-labelledby="document">
      <div className="card-head">
        <h2 id="document">Document</h2>
        <label className="check">
          <input type="checkbox" checked={live} onChange={e => setLive(e.target.checked)} />
          Follow changes
        </label>
      </div>
      {root.problem !== undefined && root.data === undefined ? (
        <Trouble problem={root.problem} again={root.again} />
      ) : root.data === undefined ? (
        <p className="card-note">Reading…</p>
      ) : root.data.size === 0 ? (
        <p className="card-note">The document is empty. Nothing has been written into this room, or all of it was deleted.</p>
      ) : (
        <>
          <p className="card-note">
            {bytes(root.data.bytes)} as JSON, version {count(root.data.versions)}
          </p>
          <Children room={room} path="" node={root.data} version={shown} named={root.data.type === 'object'} />
        </>
      )}
    </section>
  )
}

const escape = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

function Children({ room, path, node, version, named }: { room: string; path: string; node: DocumentNode; version: number; named: boolean }) {
  const [pages, setPages] = useState<number[]>([])
  const next = pages.length === 0 ? node.next : undefined
  return (
    <ul className="tree">
      {node.children.map(c => (
        <Branch key={c.key} room={room} path={`${path}/${escape(c.key)}`} child={c} version={version} named={named} />
      ))}
      {next !== undefined && next > 0 && <More from={next} size={node.size} show={() => setPages([next])} />}
      {pages.map(offset => (
        <MorePage key={offset} room={room} path={path} offset={offset} version={version} named={named} />
      ))}
    </ul>
  )
}

function More({ from, size, show }: { from: number; size: number; show: () => void }) {
  return (
    <li>
      <button type="button" className="quiet small" onClick={show}>
        Show more ({count(size - from)} left)
      </button>
    </li>
  )
}

function MorePage({ room, path, offset, version, named }: { room: string; path: string; offset: number; version: number; named: boolean }) {
  const page = useAnswer<DocumentNode>(address('/api/room/document', { room, path, offset }), version)
  const [more, setMore] = useState(false)
  const data = page.data
  if (data === undefined) return <li className="faint">{page.problem?.message ?? 'Reading…'}</li>
  return (
    <>
      {data.children.map(c => (
        <Branch key={c.key} room={room} path={`${path}/${escape(c.key)}`} child={c} version={version} named={named} />
      ))}
      {data.next !== undefined &&
        (more ? (
          <MorePage room={room} path={path} offset={data.next} version={version} named={named} />
        ) : (
          <More from={data.next} size={data.size} show={() => setMore(true)} />
        ))}
    </>
  )
}

/** A text that is longer than what stands beside its key. */
const longText = (c: Child) => c.type === 'string' && c.size > (c.preview ?? '').length

function Branch({ room, path, child, version, named }: { room: string; path: string; child: Child; version: number; named: boolean }) {
  const [open, setOpen] = useState(false)
  const opens = ((child.type === 'object' || child.type === 'array') && child.size > 0) || longText(child)
  const key = <span className={named ? 'tree-key' : 'tree-index'}>{child.key}</span>
  return (
    <li>
      {opens ? (
        <button type="button" className="tree-row" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name="right" />
          {key}
          <Value child={child} />
        </button>
      ) : (
        <span className="tree-row leaf">
          {key}
          <Value child={child} />
        </span>
      )}
      {open && opens && (child.type === 'string' ? <LongText room={room} path={path} version={version} /> : <Opened room={room} path={path} version={version} named={child.type === 'object'} />)}
    </li>
  )
}

function Opened({ room, path, version, named }: { room: string; path: string; version: number; named: boolean }) {
  const node = useAnswer<DocumentNode>(address('/api/room/document', { room, path }), version)
  if (node.data === undefined) return <p className="tree-wait">{node.problem?.message ?? 'Reading…'}</p>
  return <Children room={room} path={path} node={node.data} version={version} named={named} />
}

function LongText({ room, path, version }: { room: string; path: string; version: number }) {
  const node = useAnswer<DocumentNode>(address('/api/room/document', { room, path }), version)
  if (node.data === undefined) return <p className="tree-wait">{node.problem?.message ?? 'Reading…'}</p>
  return (
    <div className="tree-text" tabIndex={0} role="region" aria-label="Text">
      {node.data.text}
      {node.data.next !== undefined && <span className="faint"> … the rest, of {count(node.data.size)} characters in all, is in `symphony rooms show`</span>}
    </div>
  )
}

function Value({ child }: { child: Child }) {
  switch (child.type) {
    case 'object':
      return <span className="tree-type">{child.size === 0 ? '{ }' : `{ ${count(child.size)} }`}</span>
    case 'array':
      return <span className="tree-type">{child.size === 0 ? '[ ]' : `[ ${count(child.size)} ]`}</span>
    case 'string':
      return (
        <span className="tree-string">
          “{child.preview}
          {longText(child) ? '…' : '”'}
        </span>
      )
    default:
      return <span className={`tree-${child.type}`}>{child.preview}</span>
  }
}
