import { useEffect, useState } from 'react'
import { address, type RoomPage, type RoomRow } from '../api'
import { bytes, count, plural } from '../format'
import { useTick } from '../live'
import { useAnswer } from '../query'
import { Link, useRouter } from '../router'
import { Ago, Empty, Heading, Icon, Trouble, useInfo } from '../ui'

interface Column {
  key: string
  title: string
  number?: boolean
  /** What one wants to see first. */
  descending?: boolean
  cell: (r: RoomRow) => React.ReactNode
}

const columns: Column[] = [
  {
    key: 'name',
    title: 'Room',
    cell: r => (
      <Link href={address('/room', { id: r.room })} className="room-name">
        {r.room}
      </Link>
    )
  },
  { key: 'active', title: 'State', descending: true, cell: r => <State active={r.active} /> },
  { key: 'users', title: 'Users', number: true, descending: true, cell: r => count(r.users) },
  { key: 'lastActive', title: 'Last active', descending: true, cell: r => <Ago at={r.lastActive} /> },
  { key: 'size', title: 'Size', number: true, descending: true, cell: r => bytes(r.size) },
  { key: 'log', title: 'Log', number: true, descending: true, cell: r => <span title={`${plural(r.logEntries, 'entry').replace('entrys', 'entries')}, ${bytes(r.logBytes)}`}>{count(r.logEntries)}</span> },
  { key: 'versions', title: 'Versions', number: true, descending: true, cell: r => count(r.versions) }
]

export function State({ active }: { active: boolean }) {
  return <span className={active ? 'state on' : 'state'}>{active ? 'active' : 'idle'}</span>
}

const pageSizes = [25, 50, 100, 200]

export function Rooms() {
  const { query, set } = useRouter()
  const info = useInfo()
  const sort = query.get('sort') ?? 'lastActive'
  const descending = (query.get('dir') ?? 'desc') === 'desc'
  const text = query.get('q') ?? ''
  const active = query.get('active') === '1'
  const size = Number(query.get('size') ?? 50)
  const page = Number(query.get('page') ?? 1) - 1
  const url = address('/api/rooms', { q: text, active, sort, dir: descending ? 'desc' : 'asc', page: page > 0 ? page : undefined, size })
  const rooms = useAnswer<RoomPage>(url, useTick(2), true)
  const data = rooms.data
  const order = (column: Column) => {
    const down = column.key === sort ? !descending : (column.descending ?? false)
    set({ sort: column.key, dir: down ? 'desc' : 'asc', page: undefined })
  }
  return (
    <>
      <Heading title="Rooms">
        <p className="heading-note" aria-live="polite">
          {data === undefined ? ' ' : data.matched === data.total ? plural(data.total, 'room') : `${count(data.matched)} of ${plural(data.total, 'room')}`}
        </p>
      </Heading>
      <div className="toolbar">
        <Search value={text} onChange={q => set({ q, page: undefined })} label="Search rooms by name" />
        <label className="check">
          <input type="checkbox" checked={active} onChange={e => set({ active: e.target.checked, page: undefined })} />
          Active only
        </label>
        <div className="narrow-only select">
          <span id="sort-by">Sort by</span>
          <select
            aria-labelledby="sort-by"
            value={sort}
            onChange={e => {
              const column = columns.find(c => c.key === e.target.value)
              if (column !== undefined) set({ sort: column.key, dir: column.descending === true ? 'desc' : 'asc', page: undefined })
            }}
          >
            {columns.map(c => (
              <option key={c.key} value={c.key}>
                {c.title}
              </option>
            ))}
          </select>
          <button type="button" onClick={() => set({ dir: descending ? 'asc' : 'desc', page: undefined })} aria-label={descending ? 'Descending; sort ascending' : 'Ascending; sort descending'}>
            <Icon name={descending ? 'down' : 'up'} />
          </button>
        </div>
      </div>
      {rooms.problem !== undefined && <Trouble problem={rooms.problem} again={rooms.again} />}
      {data !== undefined && data.total === 0 ? (
        <Empty title="No rooms yet">
          <p>A room begins when somebody connects to it. Start an app and open it in two windows:</p>
          <pre>
            <code>symphony compose my-app{'\n'}cd my-app && npm install && npm run dev</code>
          </pre>
          {info.socket !== undefined && (
            <p>
              Clients connect to <code>{info.socket}</code>
            </p>
          )}
        </Empty>
      ) : data !== undefined && data.matched === 0 ? (
        <Empty title="No room matches">
          <p>{active ? 'Nobody is in a room with such a name now.' : `There is no room whose name contains “${text}”.`}</p>
          <p>
            <button type="button" onClick={() => set({ q: undefined, active: undefined, page: undefined })}>
              Show all rooms
            </button>
          </p>
        </Empty>
      ) : (
        <div className={rooms.loading && data === undefined ? 'table-box waiting' : 'table-box'}>
          <table className="rooms">
            <caption className="unseen">Rooms</caption>
            <thead>
              <tr>
                {columns.map(c => (
                  <th key={c.key} scope="col" className={c.number === true ? 'number' : undefined} aria-sort={c.key === sort ? (descending ? 'descending' : 'ascending') : undefined}>
                    <button type="button" onClick={() => order(c)}>
                      {c.title}
                      <span className={c.key === sort ? 'sorted' : 'sorted off'}>
                        <Icon name={c.key === sort && !descending ? 'up' : 'down'} />
                      </span>
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data?.rows.map(r => (
                <tr key={r.room}>
                  {columns.map(c =>
                    c.key === 'name' ? (
                      <th key={c.key} scope="row">
                        {c.cell(r)}
                      </th>
                    ) : (
                      <td key={c.key} data-label={c.title} className={c.number === true ? 'number' : undefined}>
                        {c.cell(r)}
                      </td>
                    )
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== undefined && data.matched > 0 && <Pages data={data} set={p => set({ page: p > 0 ? p + 1 : undefined })} size={n => set({ size: n === 50 ? undefined : n, page: undefined })} />}
    </>
  )
}

function Pages({ data, set, size }: { data: RoomPage; set: (page: number) => void; size: (n: number) => void }) {
  const last = Math.max(0, Math.ceil(data.matched / data.size) - 1)
  const from = data.page * data.size + 1
  const to = Math.min(data.matched, from + data.size - 1)
  return (
    <nav className="pages" aria-label="Pages">
      <label className="select">
        <span>Rows</span>
        <select value={data.size} onChange={e => size(Number(e.target.value))}>
          {pageSizes.map(n => (
            <option key={n}>{n}</option>
          ))}
        </select>
      </label>
      <span className="pages-at">
        {count(from)}–{count(to)} of {count(data.matched)}
      </span>
      <span className="pages-buttons">
        <button type="button" disabled={data.page === 0} onClick={() => set(0)}>
          First
        </button>
        <button type="button" disabled={data.page === 0} onClick={() => set(data.page - 1)}>
          Previous
        </button>
        <button type="button" disabled={data.page >= last} onClick={() => set(data.page + 1)}>
          Next
        </button>
        <button type="button" disabled={data.page >= last} onClick={() => set(last)}>
          Last
        </button>
      </span>
    </nav>
  )
}

/** Asks a moment after the last key, so that typing is not a query a letter. */
export function Search({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => onChange(text), 200)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label className="search">
      <Icon name="search" />
      <span className="unseen">{label}</span>
      <input type="search" value={text} placeholder={label} spellCheck={false} autoComplete="off" onChange={e => setText(e.target.value)} />
    </label>
  )
}
