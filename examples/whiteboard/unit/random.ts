/** A seeded random source (mulberry32), so that a failing run can be repeated. */
export function random (seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  const shuffle = <T>(list: T[]): T[] => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = below(i + 1)
      const t = list[i] as T
      list[i] = list[j] as T
      list[j] = t
    }
    return list
  }
  return { next, below, shuffle }
}

/** The seed of this run: SYMPHONY_SEED, or a new one; it is printed either way. */
export function seed (): number {
  const given = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env['SYMPHONY_SEED']
  const value = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  console.log(`seed ${value} (repeat with SYMPHONY_SEED=${value})`)
  return value
}
