/** A clock that stands still until a test moves it. */

import type { Clock } from '../provider/clock'

interface Alarm {
  at: number
  order: number
  run: () => void
}

/** Moves only by `advance`; timers run in their order, each at its own time. */
export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #alarms = new Map<number, Alarm>()

  /** @param now milliseconds since 1970 */
  constructor (now = Date.UTC(2024, 0, 1)) {
    this.#now = now
  }

  now (): number {
    return this.#now
  }

  setTimeout (run: () => void, ms: number): number {
    const order = ++this.#order
    this.#alarms.set(order, { at: this.#now + Math.max(0, ms), order, run })
    return order
  }

  clearTimeout (handle: unknown): void {
    this.#alarms.delete(handle as number)
  }

  /** How many timers are set: 0 after a clean end. */
  get pending (): number {
    return this.#alarms.size
  }

  /** Moves time, and gives promises that wait their turn before, between and after the timers. */
  async advance (ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#alarms.delete(next.order)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await settle()
    }
    this.#now = until
  }

  #next (until: number): Alarm | null {
    let first: Alarm | null = null
    for (const alarm of this.#alarms.values()) {
      if (alarm.at <= until && (first === null || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order))) first = alarm
    }
    return first
  }
}

/** Lets promises run that need no time. */
export async function settle (): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}
