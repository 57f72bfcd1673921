// A seeded source of randomness, so that a failing run can be repeated.

/** The run's seed: $SYMPHONY_SEED, or a new one. Printed either way. */
export const seed = Number(process.env.SYMPHONY_SEED ?? Math.floor(Math.random() * 2 ** 31))
console.log(`seed ${seed} (repeat with SYMPHONY_SEED=${seed})`)

export interface Random {
  next: () => number
  below: (n: number) => number
  chance: (share: number) => boolean
  /** In place. */
  shuffle: <T>(list: T[]) => T[]
}

/** mulberry32 */
export function random (from: number): Random {
  let state = from >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    chance: share => next() < share,
    shuffle: list => {
      for (let at = list.length - 1; at > 0; at--) {
        const other = below(at + 1)
        ;[list[at], list[other]] = [list[other]!, list[at]!]
      }
      return list
    }
  }
}
