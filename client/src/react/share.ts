/** Snapshots that keep what has not changed, so that comparing them is cheap for React. */

/**
 * Gives `next` with every part that equals its counterpart in `previous` taken from there: the same content is the same
 * object. In arrays, what stands before and after a change keeps its identity although its index moved.
 */
export function share<T> (previous: unknown, next: T): T {
  if (Object.is(previous, next)) return next
  if (Array.isArray(previous) && Array.isArray(next)) return shareArray(previous, next) as T
  if (isPlain(previous) && isPlain(next)) return shareObject(previous, next) as T
  return next
}

function shareArray (previous: unknown[], next: unknown[]): unknown[] {
  const result = next.slice()
  const least = Math.min(previous.length, next.length)
  let from = 0
  for (; from < least && same(previous[from], next[from]); from++) result[from] = previous[from]
  if (from === next.length && from === previous.length) return previous
  let left = previous.length
  let right = next.length
  for (; left > from && right > from && same(previous[left - 1], next[right - 1]); left--, right--) result[right - 1] = previous[left - 1]
  for (let at = from; at < right; at++) result[at] = at < left ? share(previous[at], next[at]) : next[at]
  return result
}

function shareObject (previous: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const keys = Object.keys(next)
  let equal = keys.length === Object.keys(previous).length
  for (const key of keys) {
    const known = Object.hasOwn(previous, key)
    const value = known ? share(previous[key], next[key]) : next[key]
    equal &&= known && Object.is(value, previous[key])
    // A key may be "__proto__": assigning it would not make a property.
    Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return equal ? previous : result
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
