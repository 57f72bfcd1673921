import assert from 'node:assert/strict'
import { isDeepStrictEqual, inspect } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }

/** How long a condition may take. It bounds a broken run; nothing is asserted about time. */
export const PATIENCE_MS = 90_000
const EVERY_MS = 25

/**
 * Waits until `look` gives what is true, or equals `want`, and returns it.
 *
 * @param {string} what said when it never comes
 * @param {() => unknown} look may throw while it is too early
 * @param {unknown} [want]
 */
export async function eventually (what, look, want) {
  const check = arguments.length > 2 ? value => isDeepStrictEqual(value, want) : Boolean
  const until = Date.now() + PATIENCE_MS
  let last
  for (;;) {
    try {
      last = await look()
      if (check(last)) return last
    } catch (error) {
      last = error
    }
    if (Date.now() > until) {
      throw new Error(`never: ${what}\n${arguments.length > 2 ? difference(last, want) : short(last)}`)
    }
    await sleep(EVERY_MS)
  }
}

function difference (last, want) {
  if (last instanceof Error) return short(last)
  try {
    assert.deepStrictEqual(last, want)
    return 'equal now'
  } catch (error) {
    return short(error.message)
  }
}

function short (value) {
  const text = value instanceof Error ? String(value.stack) : typeof value === 'string' ? value : inspect(value, { depth: 8, maxStringLength: 2000 })
  return text.length > 6000 ? `${text.slice(0, 6000)}…` : text
}
