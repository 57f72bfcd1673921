import { type ReactNode, useMemo, useRef, useState } from 'react'
import { address, type Edits, post, Problem, type Room as RoomData, type Verification } from '../api'
import { Chart } from '../chart'
import { bytes, count, dateTime, known, level, plural, since } from '../format'
import { useLive, useTick } from '../live'
import { useAnswer } from '../query'
import { Link, useRouter } from '../router'
import { Ago, Empty, Heading, Icon, Trouble, useInfo, useSay } from '../ui'
import { State } from './rooms'
import { Tree } from './tree'

export function Room({ id }: { id: string }) {
  const room = useAnswer<RoomData>(address('/api/room', { room: id }), useTick(2))
  if (room.data === undefined) {
    return (
      <>
        <Back />
        <Heading title={id === '' ? 'No room' : id} />
        {room.problem?.status === 404 ? (
          <Empty title="There is no such room">
            <p>It may have been deleted, or nobody has connected to it yet.</p>
          </Empty>
        ) : (
          room.problem !== undefined && <Trouble problem={room.problem} again={room.again} />
        )}
      </>
    )
  }
  return <Loaded room={room.data} gone={room.problem?.status === 404} />
}

function Back() {
  return (
    <p className="back">
      <Link href="/rooms">
        <Icon name="back" /> Rooms
      </Link>
    </p>
  )
}

function Loaded({ room, gone }: { room: RoomData; gone: boolean }) {
  const info = useInfo()
  const deleting = useRef<HTMLDialogElement>(null)
  const [verification, setVerification] = useState<Verification | Problem | 'running' | undefined>()
  const say = useSay()
  const tick = useTick(5)
  const past = useAnswer<Edits>(address('/api/room/edits', { room: room.room }), `${tick > 0} ${room.versions}`)
  const verify = () => {
    setVerification('running')
    post<Verification>('/api/room/verify', { room: room.room })
      .then(v => {
        setVerification(v)
        say(v.healthy ? 'Verified: nothing is wrong with this room.' : `Verified: ${plural(v.problems?.length ?? 0, 'problem')} found.`)
      })
      .catch((error: unknown) => setVerification(error instanceof Problem ? error : new Problem(0, String(error))))
  }
  return (
    <>
      <Back />
      <Heading
        title={room.room}
        aside={
          <>
            <button type="button" onClick={verify} disabled={verification === 'running'}>
              {verification === 'running' ? 'Verifying…' : 'Verify'}
            </button>
            {info.changes && (
              <button type="button" className="danger" onClick={() => deleting.current?.showModal()}>
                Delete…
              </button>
            )}
          </>
        }
      >
        <p className="heading-note">
          <State active={room.active} /> {gone && <span className="state bad">deleted</span>}
        </p>
      </Heading>
      {verification !== undefined && verification !== 'running' && <Verified result={verification} close={() => setVerification(undefined)} />}
      <dl className="facts">
        <Fact name="Users now">{count(room.users)}</Fact>
        <Fact name="Versions">{count(room.versions)}</Fact>
        <Fact name="Stored">{bytes(room.size)}</Fact>
        <Fact name="Log">
          {count(room.logEntries)} <small>{bytes(room.logBytes)}</small>
        </Fact>
        <Fact name="Last active">
          <Ago at={room.lastActive} />
        </Fact>
        <Fact name="Created">
          <Ago at={room.created} />
        </Fact>
      </dl>
      <div className="columns">
        <EditsCard edits={past} />
        <SizeCard room={room} snapshots={past.data?.sizes ?? undefined} />
      </div>
      <Members room={room} />
      <Tree room={room.room} version={room.versions} />
      {info.changes && <DeleteDialog dialog={deleting} room={room.room} />}
    </>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Verified({ result, close }: { result: Verification | Problem; close: () => void }) {
  if (result instanceof Problem) return <Trouble problem={result} />
  return (
    <section className={result.healthy ? 'verified' : 'verified bad'} aria-label="Verification">
      <h2>
        <Icon name={result.healthy ? 'check' : 'warning'} /> {result.healthy ? 'Nothing is wrong with this room' : 'Something is wrong with this room'}
      </h2>
      <ul>
        {result.problems?.map(p => (
          <li key={p} className="wrong">
            {p}
          </li>
        ))}
        {result.checks?.map(c => (
          <li key={c}>{c}</li>
        ))}
      </ul>
      <button type="button" className="quiet small" onClick={close}>
        Close
      </button>
    </section>
  )
}

function EditsCard({ edits }: { edits: { data?: Edits | undefined; problem?: Problem | undefined } }) {
  const data = edits.data
  const lines = useMemo(() => [{ label: 'Edits', colour: 1 as const, values: data?.edits ?? [] }], [data])
  const oldest = data?.oldest == null ? undefined : known(data.oldest)
  return (
    <section className="card" aria-labelledby="edits">
      <h2 id="edits">Edits over time</h2>
      {edits.problem !== undefined && data === undefined ? (
        <p className="card-note">{edits.problem.message}</p>
      ) : (
        <>
          <p className="card-note">
            {data === undefined ? ' ' : oldest === undefined ? 'No edit is kept by itself: all of them are in the snapshot.' : data.whole ? `All ${plural(data.count, 'edit')}, since ${dateTime(oldest)}` : `The last ${plural(data.count, 'edit')}, back to ${dateTime(oldest)}`}
          </p>
          <Chart title="Edits over time" from={data?.from ?? 0} step={data?.step ?? 1000} lines={lines} format={level} whole bars height={168} empty={data === undefined ? '' : 'No edits'} />
        </>
      )}
    </section>
  )
}

/** A room's size is drawn on a line of even steps, from points that are not. */
function SizeCard({ room, snapshots }: { room: RoomData; snapshots: { at: string; size: number }[] | undefined }) {
  const { now } = useLive()
  const until = Math.floor(now / 5000) * 5000
  const drawn = useMemo(() => {
    const seen = (room.history ?? []).map(p => ({ at: Date.parse(p.at), size: p.size }))
    const began = seen[0]?.at ?? Number.POSITIVE_INFINITY
    const points = [...(snapshots ?? []).map(s => ({ at: Date.parse(s.at), size: s.size })).filter(s => s.at < began), ...seen]
    const first = points[0]
    if (first === undefined) return undefined
    const n = 200
    const step = Math.max(50, (until + 5000 - first.at) / n)
    const values: (number | null)[] = []
    let k = 0
    for (let i = 0; i <= n; i++) {
      while (k + 1 < points.length && (points[k + 1]?.at ?? 0) <= first.at + i * step) k++
      values.push(first.at + i * step > until + 5000 ? null : (points[k]?.size ?? null))
    }
    return { from: first.at, step, lines: [{ label: 'Stored', colour: 3 as const, values }] }
  }, [room.history, snapshots, until])
  const first = room.history?.[0]
  const earlier = first !== undefined && (snapshots ?? []).some(s => Date.parse(s.at) < Date.parse(first.at))
  return (
    <section className="card" aria-labelledby="size">
      <h2 id="size">Size over time</h2>
      <p className="card-note">{first === undefined ? 'Nothing recorded yet.' : `Snapshot and log, since this dashboard saw it: ${dateTime(Date.parse(first.at))}${earlier ? '; before that, the snapshots that are kept' : ''}`}</p>
      <Chart title="Size over time" from={drawn?.from ?? 0} step={drawn?.step ?? 1000} lines={drawn?.lines ?? []} format={bytes} height={168} steps empty="It is recorded from the next change on" />
    </section>
  )
}

function Members({ room }: { room: RoomData }) {
  const { now } = useLive()
  return (
    <section className="card" aria-labelledby="members">
      <h2 id="members">In the room now</h2>
      {room.members === null ? (
        <p className="card-note">{room.problem ?? 'Not known here.'}</p>
      ) : room.members.length === 0 ? (
        <p className="card-note">Nobody is here. The room is kept, and costs its storage only.</p>
      ) : (
        <table className="members">
          <caption className="unseen">Who is in the room now</caption>
          <thead>
            <tr>
              <th scope="col">User</th>
              <th scope="col">May</th>
              <th scope="col">Protocol</th>
              <th scope="col" className="number">
                Connected for
              </th>
            </tr>
          </thead>
          <tbody>
            {room.members.map(m => (
              <tr key={`${m.user} ${m.client} ${m.connected}`}>
                <th scope="row">
                  {m.name !== '' ? m.name : m.user !== '' ? m.user : 'Anonymous'}
                  {m.name !== '' && m.user !== '' && <small> {m.user}</small>}
                </th>
                <td data-label="May">{m.access === 'write' ? 'edit' : 'read'}</td>
                <td data-label="Protocol">{m.protocol}</td>
                <td data-label="Connected for" className="number">
                  {since(Date.parse(m.connected), now)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function DeleteDialog({ dialog, room }: { dialog: React.RefObject<HTMLDialogElement | null>; room: string }) {
  const [typed, setTyped] = useState('')
  const [problem, setProblem] = useState<Problem | undefined>()
  const [busy, setBusy] = useState(false)
  const { go } = useRouter()
  const say = useSay()
  const close = () => dialog.current?.close()
  const reset = () => {
    setTyped('')
    setProblem(undefined)
  }
  const remove = (event: React.FormEvent) => {
    event.preventDefault()
    if (typed !== room || busy) return
    setBusy(true)
    post('/api/room/delete', { room, confirm: typed })
      .then(() => {
        say(`Room ${room} is deleted.`)
        go('/rooms')
      })
      .catch((error: unknown) => setProblem(error instanceof Problem ? error : new Problem(0, String(error))))
      .finally(() => setBusy(false))
  }
  return (
    <dialog ref={dialog} aria-labelledby="delete-title" onClose={reset}>
      <form onSubmit={remove}>
        <h2 id="delete-title">Delete this room?</h2>
        <p>
          Its document, every version of it and its log go for good. Whoever is in it now begins again with an empty one.
        </p>
        <label className="field">
          <span>
            Type <b className="room-typed">{room}</b> to confirm
          </span>
          <input value={typed} onChange={e => setTyped(e.target.value)} autoComplete="off" spellCheck={false} />
        </label>
        {problem !== undefined && <Trouble problem={problem} />}
        <div className="dialog-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="danger solid" disabled={typed !== room || busy}>
            {busy ? 'Deleting…' : 'Delete room'}
          </button>
        </div>
      </form>
    </dialog>
  )
}
