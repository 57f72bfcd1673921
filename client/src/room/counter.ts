/** A shared number that adds up. */

import * as Y from 'yjs'
import { draft } from './draft'
import { InvalidValueError } from './errors'
import { History } from './history'
import type { Space } from './space'
import { assertAttached, spaceOf, Synced, typeOf } from './synced'

/** The entry that says that a map is a counter; the others are what each client has added. */
export const COUNTER_KEY = '$counter'

/** The origin of the entry above: no history takes it back. */
const MARKING = { symphony: 'counter' }

const mapOf = (counter: SyncedCounter): Y.Map<unknown> => typeOf(counter) as Y.Map<unknown>

/** A counter's value. In the order of the keys: sums of fractions depend on it. */
export function total (map: Y.Map<unknown>): number {
  let sum = 0
  for (const key of [...map.keys()].sort()) {
    const value = map.get(key)
    if (key !== COUNTER_KEY && typeof value === 'number') sum += value
  }
  return sum
}

/** A counter's map, before it is put anywhere. */
export function counter (value: number, client: number): Y.Map<unknown> {
  return new Y.Map<unknown>([[COUNTER_KEY, true], [String(client), value]])
}

/**
 * A number to which everybody adds: what two people add at once counts twice,
 * where one of two values of a map would be lost.
 *
 * @example
 * const likes = room.newCounter('likes')
 * likes.increment()
 * likes.value // 1
 */
export class SyncedCounter extends Synced {
  /** @internal */
  constructor (type: Y.Map<unknown>, space: Space) {
    super(type, space)
  }

  override get yjs (): Y.Map<unknown> {
    return mapOf(this)
  }

  /**
   * The sum of what everybody added.
   * @example
   * likes.value // 7
   */
  get value (): number {
    return total(mapOf(this))
  }

  /**
   * Adds to the counter. Returns the new value.
   * @example
   * likes.increment()
   * score.increment(10)
   */
  increment (by = 1): number {
    if (typeof by !== 'number' || !Number.isFinite(by)) throw new InvalidValueError(`Symphony: a counter cannot be changed by ${String(by)}`)
    assertAttached(this)
    const space = spaceOf(this)
    const map = mapOf(this)
    space.guard()
    if (!map.has(COUNTER_KEY)) space.doc.transact(() => { map.set(COUNTER_KEY, true) }, MARKING)
    space.change(() => {
      const key = String(space.doc.clientID)
      const own = map.get(key)
      map.set(key, (typeof own === 'number' ? own : 0) + by)
      space.touch(map)
    })
    return this.value
  }

  /**
   * Takes from the counter. Returns the new value.
   * @example
   * stock.decrement(3)
   */
  decrement (by = 1): number {
    return this.increment(-by)
  }

  /**
   * The value; `JSON.stringify` works.
   * @example
   * likes.toJSON() // 7
   */
  toJSON (): number {
    return this.value
  }

  /**
   * A new counter with the same value that is in no place yet.
   * @example
   * post.set('likes', likes.copy())
   */
  copy (): SyncedCounter {
    return draft(conversion => conversion.copy(mapOf(this), spaceOf(this)))
  }

  /**
   * A history of what this client added to this counter.
   * @example
   * const history = likes.newHistory()
   * history.undo()
   */
  newHistory (captureTimeout = 0): History {
    return new History(spaceOf(this), [mapOf(this)], { captureTimeout })
  }
}
