// How figures are written. One place, so that the same figure looks the same
// everywhere; all are in English, as the page is.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const plain = (digits: number) => new Intl.NumberFormat('en', { maximumFractionDigits: digits })
const one = plain(1)
const two = plain(2)

/** A count: 1,234 and, from a hundred thousand million on, 123.4 G. */
export function count(n: number): string {
  const size = Math.abs(n)
  if (size < 1e7) return whole.format(n)
  if (size < 1e10) return `${one.format(n / 1e6)} M`
  return `${one.format(n / 1e9)} G`
}

/** A rate or level that need not be whole: three digits where that helps. */
export function level(n: number): string {
  const size = Math.abs(n)
  if (size === 0) return '0'
  if (size < 0.005) return n.toExponential(0)
  if (size < 10) return two.format(n)
  if (size < 100) return one.format(n)
  return count(n)
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes, in steps of a thousand. */
export function bytes(n: number): string {
  let size = Math.abs(n)
  let step = 0
  while (size >= 999.5 && step < sizes.length - 1) {
    size /= 1000
    step++
  }
  const text = step === 0 || size >= 100 ? whole.format(size) : one.format(size)
  return `${n < 0 ? '−' : ''}${text} ${sizes[step]}`
}

/** Milliseconds, in the unit that a person would choose. */
export function milliseconds(ms: number): string {
  if (ms === 0) return '0 ms'
  if (ms < 1) return `${two.format(ms)} ms`
  if (ms < 100) return `${one.format(ms)} ms`
  if (ms < 1000) return `${whole.format(ms)} ms`
  return seconds(ms / 1000)
}

/** Seconds. */
export function seconds(s: number): string {
  if (s > 0 && s < 1) return `${whole.format(s * 1000)} ms`
  if (s < 100) return `${one.format(s)} s`
  if (s < 7200) return `${whole.format(s / 60)} min`
  return `${one.format(s / 3600)} h`
}

/** Dollars: cents where they matter, more digits where there are no cents. */
export function dollars(n: number): string {
  if (n === 0) return '$0'
  if (n >= 1000) return `$${whole.format(n)}`
  if (n >= 0.1) return `$${n.toFixed(2)}`
  if (n >= 0.0001) return `$${n.toFixed(4)}`
  return '<$0.0001'
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const short = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric' })
const full = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit'
})

export const timeOfDay = (at: number): string => clock.format(at)
export const hourAndMinute = (at: number): string => short.format(at)
export const weekday = (at: number): string => day.format(at)
export const dateTime = (at: number): string => full.format(at)

/** Go writes a time that is not known as the year 1. */
export function known(at: string): number | undefined {
  const ms = Date.parse(at)
  return Number.isNaN(ms) || ms < 0 ? undefined : ms
}

/** How long ago, as a person says it. A clock that is a little ahead is now. */
export function ago(at: number, now: number): string {
  const s = Math.max(0, (now - at) / 1000)
  if (s < 5) return 'just now'
  if (s < 60) return `${whole.format(Math.floor(s))} s ago`
  if (s < 3600) return `${whole.format(Math.floor(s / 60))} min ago`
  if (s < 86400) return `${whole.format(Math.floor(s / 3600))} h ago`
  const days = Math.floor(s / 86400)
  return days === 1 ? 'yesterday' : `${whole.format(days)} days ago`
}

/** How long something has gone on. */
export function since(at: number, now: number): string {
  const s = Math.max(0, Math.floor((now - at) / 1000))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
  return `${Math.floor(s / 86400)} d`
}

/** "1 room", "2 rooms". */
export function plural(n: number, thing: string): string {
  return `${count(n)} ${thing}${n === 1 ? '' : 's'}`
}
