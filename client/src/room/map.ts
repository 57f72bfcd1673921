/** A shared map with a Map's methods. */

import type * as Y from 'yjs'
import { checkKey, Conversion } from './convert'
import { draft } from './draft'
import { History } from './history'
import type { Space } from './space'
import { assertAttached, spaceOf, Synced, typeOf } from './synced'
import type { Input, Live, Plain } from './types'
import { frozen, plain, wrap } from './wrap'

type Key<S> = Extract<keyof S, string>
type Value<S> = Live<S[Key<S>]>

const mapOf = (map: SyncedMap<any>): Y.Map<unknown> => typeOf(map) as Y.Map<unknown>

/**
 * A map that everybody in the room shares. It answers as a Map does, with text
 * for keys. When two people set one key at once, one of them wins, for everybody
 * the same one; different keys never get in each other's way.
 *
 * The order of keys is that in which this client saw them come.
 *
 * @example
 * interface Settings { title: string, tags: string[], owner?: { name: string } }
 * const settings = room.newMap<Settings>('settings')
 * settings.set('title', 'Plan').set('tags', ['draft'])
 * settings.get('tags')?.push('urgent')
 * settings.toJSON() // { title: 'Plan', tags: ['draft', 'urgent'] }
 */
export class SyncedMap<S extends object = Record<string, any>> extends Synced implements Iterable<[Key<S>, Value<S>]> {
  /** @internal */
  constructor (type: Y.Map<unknown>, space: Space) {
    super(type, space)
  }

  /** For type inference only. @internal */
  declare readonly __shape?: S

  override get yjs (): Y.Map<unknown> {
    return mapOf(this)
  }

  /**
   * How many entries there are.
   * @example
   * settings.size // 2
   */
  get size (): number {
    return mapOf(this).size
  }

  /**
   * A key's value; undefined when there is none.
   * @example
   * settings.get('title')
   */
  get<K extends Key<S>> (key: K): Live<S[K]> | undefined {
    return (this.has(key) ? wrap(mapOf(this).get(key), spaceOf(this)) : undefined) as Live<S[K]> | undefined
  }

  /**
   * Whether the key has a value, be it null, false, 0 or ''.
   * @example
   * settings.has('title')
   */
  has (key: Key<S>): boolean {
    return typeof key === 'string' && mapOf(this).has(key)
  }

  /**
   * Sets a key's value. Returns the map.
   * @example
   * settings.set('title', 'Plan').set('tags', [])
   */
  set<K extends Key<S>> (key: K, value: Input<NonNullable<S[K]> | Extract<S[K], null>>): this {
    const name = checkKey(key)
    const conversion = new Conversion(spaceOf(this))
    const content = conversion.value(value, `the value of "${name}"`)
    this.#change(map => { put(map, name, content) })
    conversion.settle()
    return this
  }

  /**
   * Sets several keys at once; the others stay. Returns the map.
   * @example
   * todo.update({ text: 'buy oat milk', done: false })
   */
  update (values: Partial<{ [K in Key<S>]: Input<S[K]> }>): this {
    const conversion = new Conversion(spaceOf(this))
    const content = Object.entries(values).map(([key, value]) => [checkKey(key), conversion.value(value, `the value of "${key}"`)] as const)
    this.#change(map => { for (const [key, value] of content) put(map, key, value) })
    conversion.settle()
    return this
  }

  /**
   * Removes a key. Returns whether it was there.
   * @example
   * settings.delete('owner')
   */
  delete (key: Key<S>): boolean {
    const had = this.has(key)
    this.#change(map => { if (had) map.delete(key) })
    return had
  }

  /**
   * Removes all keys.
   * @example
   * settings.clear()
   */
  clear (): void {
    this.#change(map => { map.clear() })
  }

  /**
   * An iterator of the keys.
   * @example
   * [...settings.keys()] // ['title', 'tags']
   */
  keys (): ArrayIterator<Key<S>> {
    return ([...mapOf(this).keys()] as Array<Key<S>>).values()
  }

  /**
   * An iterator of the values.
   * @example
   * for (const value of settings.values()) console.log(value)
   */
  values (): ArrayIterator<Value<S>> {
    return this.#entries().map(([, value]) => value).values()
  }

  /**
   * An iterator of keys with their values.
   * @example
   * for (const [key, value] of settings.entries()) console.log(key, value)
   */
  entries (): ArrayIterator<[Key<S>, Value<S>]> {
    return this.#entries().values()
  }

  /**
   * Iterates over keys with their values.
   * @example
   * for (const [key, value] of settings) console.log(key, value)
   */
  [Symbol.iterator] (): ArrayIterator<[Key<S>, Value<S>]> {
    return this.entries()
  }

  /**
   * Calls a function with each value and key.
   * @example
   * settings.forEach((value, key) => console.log(key, value))
   */
  forEach (visit: (value: Value<S>, key: Key<S>, map: SyncedMap<S>) => void): void {
    for (const [key, value] of this.#entries()) visit(value, key, this)
  }

  /**
   * A copy as plain JSON; `JSON.stringify(map)` works.
   * @example
   * settings.toJSON() // { title: 'Plan', tags: ['draft'] }
   */
  toJSON (): Plain<S> {
    return plain(mapOf(this), spaceOf(this)) as Plain<S>
  }

  /**
   * Plain JSON, frozen, and the same object until something in it changes: cheap to ask for often and to compare.
   * @example
   * settings.toImmutable() === settings.toImmutable() // true
   */
  toImmutable (): Readonly<Plain<S>> {
    return frozen(mapOf(this), spaceOf(this)) as Readonly<Plain<S>>
  }

  /**
   * A new map with the same content that is in no place yet.
   * @example
   * todos.push(todo.copy())
   */
  copy (): SyncedMap<S> {
    return draft(conversion => conversion.copy(mapOf(this), spaceOf(this)))
  }

  /**
   * A history of the changes to this map only.
   * @param captureTimeout changes less than so many milliseconds apart are one step
   * @example
   * const history = settings.newHistory()
   * history.undo()
   */
  newHistory (captureTimeout = 0): History {
    return new History(spaceOf(this), [mapOf(this)], { captureTimeout })
  }

  #entries (): Array<[Key<S>, Value<S>]> {
    const space = spaceOf(this)
    return Array.from(mapOf(this).entries(), ([key, value]) => [key, wrap(value, space)] as [Key<S>, Value<S>])
  }

  #change (run: (map: Y.Map<unknown>) => void): void {
    assertAttached(this)
    const space = spaceOf(this)
    const map = mapOf(this)
    space.change(() => {
      run(map)
      space.touch(map)
    })
  }
}

/** Sets a key. One that comes back after it was deleted goes to the end, as in a Map: Yjs keeps its place. */
function put (map: Y.Map<unknown>, key: string, content: unknown): void {
  const back = !map.has(key)
  map.set(key, content)
  if (!back) return
  const item = map._map.get(key)!
  map._map.delete(key)
  map._map.set(key, item)
}
