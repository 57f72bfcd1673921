/** Time as the provider sees it, so that tests can be its master. */

/** What the provider needs of a clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now (): number
  setTimeout (run: () => void, ms: number): unknown
  clearTimeout (handle: unknown): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: handle => { clearTimeout(handle as ReturnType<typeof setTimeout>) }
}

/** The longest delay that setTimeout keeps; a longer one fires at once. */
const MAX_DELAY = 2 ** 31 - 1

/** Timers by name: setting one again replaces it, and all can be cleared at once. */
export class Timers {
  readonly #running = new Map<string, unknown>()
  readonly #clock: Clock

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Runs `run` after `ms`, once. */
  set (name: string, ms: number, run: () => void): void {
    this.clear(name)
    this.#running.set(name, this.#clock.setTimeout(() => {
      this.#running.delete(name)
      run()
    }, Math.min(Math.max(0, ms), MAX_DELAY)))
  }

  has (name: string): boolean {
    return this.#running.has(name)
  }

  clear (name: string): void {
    this.#clock.clearTimeout(this.#running.get(name))
    this.#running.delete(name)
  }

  clearAll (): void {
    for (const name of this.#running.keys()) this.clear(name)
  }
}
