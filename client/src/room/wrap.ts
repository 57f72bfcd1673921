/** From Yjs types to the values that stand for them, and to plain JSON. */

import * as Y from 'yjs'
import { COUNTER_KEY, SyncedCounter, total } from './counter'
import { SyncedList } from './list'
import { SyncedMap } from './map'
import { viewOf } from './order'
import type { Space } from './space'
import { SyncedText } from './text'

/** The live value for what a Yjs type holds: always the same one for the same type. */
export function wrap (value: unknown, space: Space): unknown {
  if (!(value instanceof Y.AbstractType)) return value
  const known = space.wrappers.get(value)
  if (known !== undefined) return known
  if (value instanceof Y.Array) return new SyncedList(value, space)
  if (value instanceof Y.Map) return value.has(COUNTER_KEY) ? new SyncedCounter(value, space) : new SyncedMap(value, space)
  if (value instanceof Y.Text) return new SyncedText(value, space)
  return value // of an editor that keeps its own kind of type in a map
}

/** The elements of a list, marks followed, as Yjs holds them. */
export function elements (list: Y.Array<unknown>, space: Space): unknown[] {
  return space.moved.has(list) ? viewOf(space, list).entries.map(entry => entry.value) : list.toArray()
}

/** Plain JSON, new each time. */
export function plain (value: unknown, space: Space): unknown {
  if (!(value instanceof Y.AbstractType)) return typeof value === 'object' && value !== null ? structuredClone(value) : value
  if (value instanceof Y.Array) return elements(value, space).map(one => plain(one, space))
  if (value instanceof Y.Map) return value.has(COUNTER_KEY) ? total(value) : object(value, one => plain(one, space))
  return value.toJSON()
}

/** Frozen JSON; what did not change is the same object as before. */
export function frozen (value: unknown, space: Space): unknown {
  if (!(value instanceof Y.AbstractType)) return value
  if (!(value instanceof Y.Array || value instanceof Y.Map)) return value.toJSON()
  let json = space.snapshots.get(value)
  if (json === undefined) {
    if (value instanceof Y.Array) json = Object.freeze(elements(value, space).map(one => frozen(one, space)))
    else json = value.has(COUNTER_KEY) ? total(value) : Object.freeze(object(value, one => frozen(one, space)))
    space.snapshots.set(value, json)
  }
  return json
}

/** An object of a map's entries; also "__proto__" is only a key. */
function object (map: Y.Map<unknown>, json: (value: unknown) => unknown): Record<string, unknown> {
  const entries: Array<[string, unknown]> = []
  map.forEach((value, key) => { entries.push([key, json(value)]) })
  return Object.fromEntries(entries)
}
