// A seeded source of randomness, so that a failing run can be repeated.

/** The run's seed: $SYMPHONY_SEED, or a new one. Printed either way. */
export const seed = process.env.SYMPHONY_SEED === undefined
  ? Math.floor(Math.random() * 2 ** 31)
  : Number(process.env.SYMPHONY_SEED)
console.log(`seed ${seed} (repeat with SYMPHONY_SEED=${seed})`)

/** mulberry32 */
export function random (from) {
  let state = from >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = n => Math.floor(next() * n)
  return {
    next,
    /** A whole number from 0 to n − 1. */
    below,
    one: list => list[below(list.length)],
    chance: share => next() < share
  }
}
