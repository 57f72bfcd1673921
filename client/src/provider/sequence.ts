/** Which of the room's numbers have arrived (docs/PROTOCOL.md, "Gaps"). */

/** How many numbers beyond a gap are remembered one by one. */
const MAX_AHEAD = 4096

/** A range that is missing: everything after `after` through `through` (0: all there is). */
export interface Gap {
  after: number
  through: number
}

export class Sequence {
  /** Everything up to here has arrived. */
  last: number
  readonly #ahead = new Set<number>()
  /** More is missing than is remembered: all after `last` is asked for. */
  #lost = false

  constructor (last = 0) {
    this.last = last
  }

  has (n: number): boolean {
    return n <= this.last || this.#ahead.has(n)
  }

  /** Notes that number n has arrived. */
  mark (n: number): void {
    if (this.has(n)) return
    if (n === this.last + 1) {
      this.last = n
      this.#absorb()
    } else if (this.#ahead.size >= MAX_AHEAD) {
      this.#ahead.clear()
      this.#lost = true
    } else {
      this.#ahead.add(n)
    }
  }

  /** Notes that everything through n has arrived. */
  advance (n: number): void {
    this.#lost = false
    if (n > this.last) this.last = n
    for (const ahead of this.#ahead) if (ahead <= this.last) this.#ahead.delete(ahead)
    this.#absorb()
  }

  /** Notes that the room has numbers through n. */
  expect (n: number): void {
    if (!this.has(n)) this.#lost = true
  }

  /** The first range that is missing, or null. */
  gap (): Gap | null {
    if (this.#lost) return { after: this.last, through: 0 }
    if (this.#ahead.size === 0) return null
    return { after: this.last, through: Math.min(...this.#ahead) - 1 }
  }

  #absorb (): void {
    while (this.#ahead.delete(this.last + 1)) this.last++
  }
}
