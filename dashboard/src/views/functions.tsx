import type { FunctionReport, FunctionRow } from '../api'
import { Spark } from '../chart'
import { count, level, milliseconds } from '../format'
import { useTick } from '../live'
import { useAnswer } from '../query'
import { Link, useRouter } from '../router'
import { Choice, Empty, Heading, spoken, Trouble, useInfo, windowOf, windows, windowTick } from '../ui'

const does: Record<string, string> = {
  authorize: 'lets a connection in',
  connect: 'registers a member',
  message: 'takes edits and presence, and posts them on',
  fanout: 'posts to a slice of a large room',
  disconnect: 'takes a member out',
  checkpoint: 'writes snapshots and trims logs',
  stream: 'keeps the room directory'
}

export function Functions() {
  const router = useRouter()
  const window = windowOf(router.query)
  const info = useInfo()
  const report = useAnswer<FunctionReport>(`/api/functions?window=${window}`, useTick(Math.min(windowTick[window], 5)), true)
  const data = report.data
  const notCold = data?.why?.coldStarts ?? info.why['coldStarts']
  return (
    <>
      <Heading title="Functions" aside={<Choice label="Time shown" value={window} options={windows} onChange={w => router.set({ window: w === '1h' ? undefined : w })} />}>
        <p className="heading-note">What ran in the {spoken[window]}</p>
      </Heading>
      {report.problem !== undefined &&
        (report.problem.status === 501 ? (
          <Empty title="Not measured here">
            <p>{report.problem.message}</p>
          </Empty>
        ) : (
          <Trouble problem={report.problem} again={report.again} />
        ))}
      {data !== undefined && (
        <div className="table-box">
          <table className="functions">
            <caption className="unseen">Functions, {spoken[window]}</caption>
            <thead>
              <tr>
                <th scope="col">Function</th>
                <th scope="col" className="number">
                  Invocations
                </th>
                <th scope="col" className="number">
                  Errors
                </th>
                <th scope="col" className="number">
                  Median
                </th>
                <th scope="col" className="number">
                  p99
                </th>
                <th scope="col" className="number">
                  Cold starts
                </th>
                <th scope="col">Invocations a second</th>
              </tr>
            </thead>
            <tbody>
              {data.functions.map(f => (
                <Row key={f.name} f={f} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== undefined && notCold !== undefined && <p className="aside">Cold starts: {notCold}</p>}
      {info.why['stream'] !== undefined && <p className="aside">{info.why['stream']}</p>}
    </>
  )
}

/** What stands where a number is not known. */
function Dash() {
  return (
    <span className="faint" title="not measured here">
      —<span className="unseen">not measured here</span>
    </span>
  )
}

function Row({ f }: { f: FunctionRow }) {
  const last = f.rate.findLast(v => v !== null)
  return (
    <tr>
      <th scope="row">
        <Link href={`/logs?function=${encodeURIComponent(f.name)}`} title={`Log of ${f.name}`}>
          {f.name}
        </Link>
        <small>{does[f.name]}</small>
      </th>
      <td data-label="Invocations" className="number">
        {f.invocations === null ? <Dash /> : count(f.invocations)}
      </td>
      <td data-label="Errors" className={f.errors !== null && f.errors > 0 ? 'number bad' : 'number'}>
        {f.errors === null ? <Dash /> : count(f.errors)}
      </td>
      <td data-label="Median" className="number">
        {f.p50 === null ? <Dash /> : milliseconds(f.p50)}
      </td>
      <td data-label="p99" className="number">
        {f.p99 === null ? <Dash /> : milliseconds(f.p99)}
      </td>
      <td data-label="Cold starts" className="number">
        {f.coldStarts === null ? <Dash /> : count(f.coldStarts)}
      </td>
      <td data-label="A second">
        <Spark values={f.rate} label={last == null ? `${f.name}: not measured` : `${f.name}: latest ${level(last)} a second`} />
      </td>
    </tr>
  )
}
