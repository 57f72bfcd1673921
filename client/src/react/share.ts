/** Snapshots that keep what has not changed, so that comparing them is cheap for React. */

/**
 * Gives `next` with every part that equals its counterpart in `previous` taken from there: the same content is the same
 * object. In arrays, what stands before and after a change keeps its identity although its index moved. Where nothing is to be
 * taken over, `next` itself stays, and so does what it took over from `previous` already.
 */
export function share<T> (previous: unknown, next: T): T {
  if (Object.is(previous, next)) return next
  if (Array.isArray(previous) && Array.isArray(next)) return shareArray(previous, next) as T
  if (isPlain(previous) && isPlain(next)) return shareObject(previous, next) as T
  return next
}

function shareArray (previous: unknown[], next: unknown[]): unknown[] {
  const least = Math.min(previous.length, next.length)
  let from = 0
  while (from < least && same(previous[from], next[from])) from++
  if (from === next.length && from === previous.length) return previous
  let left = previous.length
  let right = next.length
  while (left > from && right > from && same(previous[left - 1], next[right - 1])) {
    left--
    right--
  }
  const moved = new Set(previous.slice(from, left))
  const result = next.map((value, at) => {
    if (at < from) return previous[at]
    if (at >= right) return previous[at - right + left]
    return at < left && !moved.has(value) ? share(previous[at], value) : value
  })
  return result.every((value, at) => Object.is(value, next[at])) ? next : result
}

function shareObject (previous: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.keys(next)
  // No assignment: a key may be "__proto__".
  const result = Object.fromEntries(keys.map(key => [key, Object.hasOwn(previous, key) ? share(previous[key], next[key]) : next[key]]))
  const is = (other: Record<string, unknown>): boolean => keys.every(key => Object.hasOwn(other, key) && Object.is(result[key], other[key]))
  if (keys.length === Object.keys(previous).length && is(previous)) return previous
  return is(next) ? next : result
}

/** Whether two JSON values have the same content. */
function same (a: unknown, b: unknown): boolean {
  return Object.is(share(a, b), a)
}

function isPlain (value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
