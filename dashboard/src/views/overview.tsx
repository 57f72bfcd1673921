import { useMemo } from 'react'
import type { Figures, Info, Line, Lines } from '../api'
import { Chart, type Drawn } from '../chart'
import { count, dollars, level, milliseconds, plural, seconds } from '../format'
import { useLive, useTick } from '../live'
import { useAnswer } from '../query'
import { Link, useRouter } from '../router'
import { Choice, Heading, spoken, Trouble, Unknown, useInfo, type Window, windowOf, windows, windowTick } from '../ui'

interface Card {
  title: string
  /** The figure, and its line when that has another key. */
  key: string
  lines?: { key: string; label: string; colour: 1 | 2 | 3 }[]
  format: (n: number) => string
  /** What the values of the line are made of, when they are not drawn as they are. */
  draw?: (values: Line, step: number) => Line
  /** How values of the chart are written, when not like the figure. */
  chartFormat?: (n: number) => string
  unit?: string
  whole?: boolean
  note: (f: Figures, info: Info) => string
  bad?: boolean
  /** It is measured now and then only. */
  bridge?: boolean
}

const perMinute = (n: number) => `${level(n)}/min`

const eachMinute = (values: Line): Line => values.map(v => (v === null ? null : v * 60))

/** Dollars an hour, added up. */
function summed(values: Line, step: number): Line {
  let total = 0
  return values.map(v => {
    if (v === null) return null
    total += (v * step) / 3_600_000
    return total
  })
}

const groups: { title: string; cards: Card[] }[] = [
  {
    title: 'Rooms',
    cards: [
      { title: 'Rooms', key: 'rooms', format: count, whole: true, note: f => (f['updates'] === undefined ? '' : `${plural(f['updates'], 'edit')} stored in all`) },
      {
        title: 'Active rooms',
        key: 'activeRooms',
        format: count,
        chartFormat: level,
        whole: true,
        note: f => (f['rooms'] !== undefined && f['rooms'] > 0 && f['activeRooms'] !== undefined ? `${level((100 * f['activeRooms']) / f['rooms'])} % of all rooms` : 'with somebody in them')
      },
      {
        title: 'Connections',
        key: 'connections',
        format: count,
        chartFormat: level,
        whole: true,
        note: f => (f['connections'] !== undefined && f['activeRooms'] !== undefined && f['activeRooms'] > 0 ? `${level(f['connections'] / f['activeRooms'])} a room` : 'open now')
      }
    ]
  },
  {
    title: 'Traffic',
    cards: [
      { title: 'Edits', key: 'edits', format: level, unit: 'a second', note: () => 'stored and acknowledged' },
      { title: 'Presence', key: 'presence', format: level, unit: 'a second', note: () => 'cursors and selections; never stored' },
      {
        title: 'Delivery latency',
        key: 'latencyP50',
        lines: [
          { key: 'latencyP50', label: 'p50', colour: 1 },
          { key: 'latencyP99', label: 'p99', colour: 2 }
        ],
        format: milliseconds,
        unit: 'median',
        note: (f, info) => [f['latencyP99'] === undefined ? '' : `p99 ${milliseconds(f['latencyP99'])}`, info.notes['latency'] ?? ''].filter(s => s !== '').join(' · ')
      }
    ]
  },
  {
    title: 'Health',
    cards: [
      { title: 'Errors', key: 'errors', format: count, chartFormat: perMinute, draw: eachMinute, unit: 'in the last hour', bad: true, note: (_f, info) => info.notes['errors'] ?? 'function runs that failed' },
      { title: 'Throttles', key: 'throttles', format: count, chartFormat: perMinute, draw: eachMinute, unit: 'in the last hour', bad: true, note: (_f, info) => info.notes['throttles'] ?? 'requests over the account’s quotas' },
      { title: 'Checkpoint lag', key: 'checkpointLag', format: seconds, bridge: true, note: (_f, info) => info.notes['checkpointLag'] ?? 'longest wait for a snapshot in the last sweep' }
    ]
  },
  {
    title: 'Cost',
    cards: [
      { title: 'Cost', key: 'cost', format: dollars, unit: 'an hour', note: (_f, info) => info.notes['cost'] ?? 'at the pace of the last minutes' },
      {
        title: 'Cost so far',
        key: 'costTotal',
        lines: [{ key: 'cost', label: 'Cost so far', colour: 1 }],
        draw: summed,
        format: dollars,
        unit: 'in the last 7 days',
        note: (_f, info) => info.notes['costTotal'] ?? 'the line adds up from the beginning of the time shown'
      }
    ]
  }
]

export function Overview() {
  const { snapshot } = useLive()
  const info = useInfo()
  const router = useRouter()
  const window = windowOf(router.query)
  const series = useAnswer<Lines>(`/api/series?window=${window}`, useTick(windowTick[window]), true)
  const figures = snapshot?.figures
  const lines = useMemo(() => begun(series.data), [series.data])
  return (
    <>
      <Heading title="Overview" aside={<Choice label="Time shown" value={window} options={windows} onChange={w => router.set({ window: w === '1h' ? undefined : w })} />} />
      {series.problem !== undefined && <Trouble problem={series.problem} again={series.again} />}
      {figures !== undefined && figures['rooms'] === 0 && <Welcome info={info} />}
      {groups.map(g => (
        <section key={g.title} aria-labelledby={`group-${g.title}`} className="group">
          <h2 id={`group-${g.title}`}>{g.title}</h2>
          <div className={`cards of${g.cards.length}`}>
            {g.cards.map(c => (
              <FigureCard key={c.key} card={c} figures={figures} lines={lines} window={window} info={info} />
            ))}
          </div>
        </section>
      ))}
    </>
  )
}

/** At least so many points are shown. */
const fewest = 60

/** A deployment that has just begun would be a thin stroke at the right edge: what lies before it is left out. */
function begun(all: Lines | undefined): Lines | undefined {
  if (all === undefined) return undefined
  const lines = Object.values(all.values)
  const length = lines[0]?.length ?? 0
  const first = Math.min(length, ...lines.map(l => l.findIndex(v => v !== null)).filter(i => i >= 0))
  const cut = Math.max(0, Math.min(first - 2, length - fewest))
  if (cut === 0) return all
  return { from: all.from + cut * all.step, step: all.step, values: Object.fromEntries(Object.entries(all.values).map(([k, l]) => [k, l.slice(cut)])) }
}

function Welcome({ info }: { info: Info }) {
  return (
    <div className="welcome">
      <h2>No rooms yet</h2>
      <p>
        A room begins when somebody connects to it.{' '}
        {info.kind === 'local' ? 'Open the whiteboard in two windows, or start an app of your own:' : 'Point an app at this stage, or start one:'}
      </p>
      <pre>
        <code>symphony compose my-app{'\n'}cd my-app && npm install && npm run dev</code>
      </pre>
      {info.socket !== undefined && (
        <p>
          Clients connect to <code>{info.socket}</code>
        </p>
      )}
    </div>
  )
}

function FigureCard({ card, figures, lines, window, info }: { card: Card; figures: Figures | undefined; lines: Lines | undefined; window: Window; info: Info }) {
  const value = figures?.[card.key]
  const why = info.why[card.key] ?? info.why[card.key.replace(/(P\d\d|Total)$/, '')]
  const draw = card.draw ?? ((values: Line) => values)
  const drawn: Drawn[] = (card.lines ?? [{ key: card.key, label: card.title, colour: 1 as const }]).map(l => ({
    label: l.label,
    colour: l.colour,
    values: draw(lines?.values[l.key] ?? [], lines?.step ?? 1000)
  }))
  const alarming = card.bad === true && value !== undefined && value > 0
  return (
    <article className={alarming ? 'card alarming' : 'card'}>
      <h3>{card.title}</h3>
      <p className="figure" data-figure={card.key}>
        {value !== undefined ? (
          <>
            <span className="figure-value">{card.format(value)}</span>
            {card.unit !== undefined && <span className="figure-unit">{card.unit}</span>}
          </>
        ) : figures === undefined ? (
          <span className="faint">…</span>
        ) : why !== undefined ? (
          <Unknown />
        ) : (
          <span className="unknown">nothing measured yet</span>
        )}
      </p>
      <p className="card-note">{value === undefined && why !== undefined ? why : figures === undefined ? ' ' : card.note(figures, info)}</p>
      {value === undefined && why !== undefined ? null : (
        <Chart
          title={`${card.title}, ${spoken[window]}`}
          from={lines?.from ?? 0}
          step={lines?.step ?? 1000}
          lines={drawn}
          format={card.chartFormat ?? card.format}
          whole={card.whole ?? false}
          bridge={card.bridge ?? false}
          group="overview"
          empty={lines === undefined ? '' : `Nothing measured in the ${spoken[window]}`}
        />
      )}
      {card.key === 'activeRooms' && value !== undefined && value > 0 && (
        <Link className="card-link" href="/rooms?active=1">
          Show them
        </Link>
      )}
    </article>
  )
}
