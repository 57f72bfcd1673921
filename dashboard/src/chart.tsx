import { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Line } from './api'
import { dateTime, hourAndMinute, timeOfDay, weekday } from './format'
import { useThemeChange } from './theme'

export interface Drawn {
  label: string
  values: Line
  /** The number of a colour of the theme. */
  colour: 1 | 2 | 3
}

interface Props {
  title: string
  /** The beginning of the first value, and how far apart they are; ms. */
  from: number
  step: number
  lines: Drawn[]
  format: (value: number) => string
  /** Only whole numbers are marked on the axis. */
  whole?: boolean
  bars?: boolean
  /** Charts of one group share their cross-hair. */
  group?: string
  height?: number
  /** Said instead of an empty chart. */
  empty?: string
  /** What is measured now and then only: lines go on where nothing was. */
  bridge?: boolean
  /** Lines go to the last known value as steps. */
  steps?: boolean
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const rowsOfTable = 12

/** A line chart or bars, with the same in words for those who do not see it. */
export function Chart(props: Props) {
  const { title, from, step, lines, format, group, height = 132, empty = 'Nothing measured in this time' } = props
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [table, setTable] = useState(false)
  const [at, setAt] = useState<number | null>(null)
  const latest = useRef(props)
  latest.current = props

  const times = useMemo(() => {
    const length = lines[0]?.values.length ?? 0
    return Array.from({ length }, (_, i) => (from + i * step) / 1000)
  }, [from, step, lines])
  const data = useMemo<uPlot.AlignedData>(() => [times, ...lines.map(l => l.values)], [times, lines])
  const measured = lines.some(l => l.values.some(v => v !== null))
  const shape = `${lines.map(l => l.label + l.colour).join()}|${props.bars}|${props.whole}|${group}|${height}|${measured}|${props.steps}`

  useEffect(() => {
    const target = box.current
    if (target === null || !measured) return
    const made = new uPlot(options(latest, target.clientWidth, height, group, setAt), data, target)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }))
    watch.observe(target)
    return () => {
      watch.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // It is made anew when its shape changes; new values are put into it below.
  }, [shape])

  useEffect(() => plot.current?.setData(data), [data])
  useThemeChange(useCallback(() => plot.current?.redraw(false), []))

  const spoken = lines.map(l => describe(l, format)).join('; ')
  const pointed = at !== null && times[at] !== undefined ? at : null
  return (
    <div className="chart">
      <div className="legend" aria-hidden="true">
        {pointed !== null ? (
          <>
            <span className="legend-time">{step >= 60_000 ? dateTime((times[pointed] ?? 0) * 1000).slice(0, -3) : timeOfDay((times[pointed] ?? 0) * 1000)}</span>
            {lines.map(l => (
              <span key={l.label} className={`legend-item c${l.colour}`}>
                {lines.length > 1 && `${l.label} `}
                <b>{value(l.values[pointed], format)}</b>
              </span>
            ))}
          </>
        ) : (
          lines.length > 1 &&
          lines.map(l => (
            <span key={l.label} className={`legend-item c${l.colour}`}>
              {l.label}
            </span>
          ))
        )}
      </div>
      {measured ? (
        <div ref={box} className="plot" role="img" aria-label={`${title}. ${spoken}`} style={{ height }} />
      ) : (
        <p className="plot-empty" style={{ height }}>
          {empty}
        </p>
      )}
      {measured && (
        <button type="button" className="quiet small table-toggle" aria-expanded={table} aria-controls={id} onClick={() => setTable(!table)}>
          {table ? 'Hide table' : 'Table'}
          <span className="unseen"> of {title}</span>
        </button>
      )}
      {table && measured && <ValueTable id={id} title={title} times={times} lines={lines} format={format} />}
    </div>
  )
}

function value(v: number | null | undefined, format: (value: number) => string): string {
  return v === null || v === undefined ? 'not measured' : format(v)
}

function describe(line: Drawn, format: (value: number) => string): string {
  const known = line.values.filter(v => v !== null)
  if (known.length === 0) return `${line.label}: not measured`
  const last = known[known.length - 1] ?? 0
  return `${line.label}: latest ${format(last)}, lowest ${format(Math.min(...known))}, highest ${format(Math.max(...known))}`
}

function ValueTable({ id, title, times, lines, format }: { id: string; title: string; times: number[]; lines: Drawn[]; format: (value: number) => string }) {
  const every = Math.max(1, Math.floor(times.length / rowsOfTable))
  const rows = times.map((_, i) => i).filter(i => (times.length - 1 - i) % every === 0)
  return (
    <table id={id} className="values">
      <caption className="unseen">{title}</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          {lines.map(l => (
            <th key={l.label} scope="col" className="number">
              {l.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(i => (
          <tr key={i}>
            <th scope="row">{dateTime((times[i] ?? 0) * 1000)}</th>
            {lines.map(l => (
              <td key={l.label} className="number">
                {value(l.values[i], format)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The steps an axis of values may take. */
const increments = [1, 2, 5].flatMap(n => Array.from({ length: 16 }, (_, i) => n * 10 ** (i - 6))).sort((a, b) => a - b)

function options(
  latest: { current: Props },
  width: number,
  height: number,
  group: string | undefined,
  point: (index: number | null) => void
): uPlot.Options {
  const { lines, whole, bars, steps, bridge } = latest.current
  const axis = { stroke: () => colour('--faint'), font: '11px system-ui, sans-serif', ticks: { show: false } }
  return {
    width,
    height,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7 },
      ...(group === undefined ? {} : { sync: { key: group } })
    },
    scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, top(max, whole ?? false)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        gap: 4,
        space: 64,
        values: (_u, marks) => marks.map(m => timeMark(m * 1000, latest.current))
      },
      {
        ...axis,
        grid: { stroke: () => colour('--grid'), width: 1 },
        size: (u, values) => {
          const longest = Math.max(0, ...(values ?? []).map(v => v.length))
          return Math.max(28, 8 + longest * 6.5) + (u.width > 600 ? 4 : 0)
        },
        gap: 6,
        space: 34,
        incrs: whole === true ? increments.filter(n => n >= 1) : increments,
        values: (_u, marks) => marks.map(m => latest.current.format(m))
      }
    ],
    series: [
      {},
      ...lines.map(l => {
        const stroke = () => colour(`--series-${l.colour}`)
        const drawing: uPlot.Series = {
          label: l.label,
          stroke,
          width: bars === true ? 0 : 1.75,
          fill: () => (bars === true ? colour(`--series-${l.colour}`) : lines.length === 1 ? colour(`--wash-${l.colour}`) : 'transparent'),
          spanGaps: bridge === true
        }
        if (bars === true) {
          const paths = uPlot.paths.bars?.({ size: [0.8, 40], align: 1, radius: 0.1 })
          if (paths !== undefined) drawing.paths = paths
          drawing.points = { show: false }
        } else if (steps === true) {
          const paths = uPlot.paths.stepped?.({ align: 1 })
          if (paths !== undefined) drawing.paths = paths
        }
        return drawing
      })
    ],
    hooks: {
      setCursor: [u => point(u.cursor.left === undefined || u.cursor.left < 0 ? null : (u.cursor.idx ?? null))]
    }
  }
}

/** A little air above the highest value; something above nothing at all. */
function top(max: number | null, whole: boolean): number {
  if (max === null || !(max > 0)) return 1
  return whole ? Math.max(1, Math.ceil(max * 1.08)) : max * 1.08
}

function timeMark(at: number, { from, step, lines }: Props): string {
  const span = step * (lines[0]?.values.length ?? 0)
  if (span > 2 * 86_400_000 || (span > 86_400_000 && new Date(at).getHours() === 0)) {
    return new Date(at).getHours() === 0 ? weekday(at) : hourAndMinute(at)
  }
  return span < 10 * 60_000 && from > 0 ? timeOfDay(at) : hourAndMinute(at)
}

/** A line without axes, for a row of a table. */
export function Spark({ values, label }: { values: Line; label: string }) {
  const known = values.filter(v => v !== null)
  if (known.length < 2) return <span className="faint">no line yet</span>
  const width = 160
  const height = 32
  const high = Math.max(...known, 1e-9)
  let path = ''
  let pen = false
  values.forEach((v, i) => {
    if (v === null) {
      pen = false
      return
    }
    const x = (i / (values.length - 1)) * width
    const y = height - 2 - (v / high) * (height - 4)
    path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    pen = true
  })
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={path} />
    </svg>
  )
}
