/** Whether a selection is worth a render. */

/** Says whether two selections are the same to their user. */
export type IsEqual<S> = (a: S, b: S) => boolean

/**
 * The same value, or arrays or plain objects with the same members. What hooks compare selections with when they are
 * not told otherwise.
 *
 * @example
 * const ids = useOthers(others => others.map(other => other.clientId), shallowEqual)
 */
export function shallowEqual (a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Map || a instanceof Set || a instanceof Date) return false // their content is not in their keys
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && Object.is((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}
