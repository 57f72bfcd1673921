/** The values a room has by name. */

import * as Y from 'yjs'
import { COUNTER_KEY, SyncedCounter } from './counter'
import { InvalidValueError, TypeClashError } from './errors'
import { SyncedList } from './list'
import { SyncedMap } from './map'
import type { Space } from './space'
import type { Synced } from './synced'
import { SyncedText } from './text'

export type Kind = 'list' | 'map' | 'text' | 'counter'

const KINDS = {
  list: [Y.Array, SyncedList],
  map: [Y.Map, SyncedMap],
  text: [Y.Text, SyncedText],
  counter: [Y.Map, SyncedCounter]
} as const

/** The value of that name. Throws a TypeClashError when the room has something else there. */
export function root (space: Space, name: string, kind: Kind): Synced {
  if (typeof name !== 'string') throw new InvalidValueError('Symphony: the name of a list, map, text or counter is text')
  const { doc } = space
  const [Type, Value] = KINDS[kind]
  const there = doc.share.get(name)
  const held = there === undefined ? null : heldBy(there)
  const made = there === undefined ? undefined : space.wrappers.get(there)
  if (made instanceof Value) return made
  const other = made === undefined ? held : kindOf(made)
  if (other !== null && other !== kind) throw clash(name, other, kind)
  if (there !== undefined && there.constructor !== Y.AbstractType && !(there instanceof Type)) throw clash(name, there.constructor.name, kind)
  const type = doc.get(name, Type as new () => Y.AbstractType<any>)
  // What came before anybody asked was kept in a type without a kind, which `get` replaces.
  if (there !== undefined && space.moved.has(there)) space.moved.add(type)
  return new (Value as new (type: unknown, space: Space) => Synced)(type, space)
}

/** What kind of value a type holds; null when nothing tells. A type nobody asked for yet has no kind of its own. */
export function heldBy (type: Y.AbstractType<any>): Kind | 'something else' | null {
  for (const [key, item] of type._map) {
    if (key === COUNTER_KEY) return 'counter'
    if (!item.deleted) return type._map.has(COUNTER_KEY) ? 'counter' : 'map'
  }
  for (let item = type._start; item !== null; item = item.right) {
    const { content } = item
    if (content instanceof Y.ContentString || content instanceof Y.ContentFormat || content instanceof Y.ContentEmbed) return 'text'
    if (content instanceof Y.ContentType && (content.type instanceof Y.XmlElement || content.type instanceof Y.XmlText)) return 'something else'
    if (content instanceof Y.ContentAny || content instanceof Y.ContentType) return 'list'
  }
  return null
}

function kindOf (value: Synced): Kind {
  return value instanceof SyncedList ? 'list' : value instanceof SyncedText ? 'text' : value instanceof SyncedCounter ? 'counter' : 'map'
}

function clash (name: string, is: string, wanted: Kind): TypeClashError {
  return new TypeClashError(`Symphony: "${name}" is a ${is} in this room and cannot be a ${wanted} too; choose another name`)
}
