// A seeded source of randomness, so that a failing run can be repeated.

/** The run's seed: $SYMPHONY_SEED, or a new one. Printed either way. */
export const seed = Number(process.env.SYMPHONY_SEED ?? Math.floor(Math.random() * 2 ** 31))
console.log(`seed ${seed} (repeat with SYMPHONY_SEED=${seed})`)

export interface Random {
  next: () => number
  below: (n: number) => number
  chance: (share: number) => boolean
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
  return { next, below: n => Math.floor(next() * n), chance: share => next() < share }
}
