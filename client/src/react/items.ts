/** Hooks of shared values: what is in them as plain JSON, and the values to change them with. */

import type { Plain, Room, SyncedCounter, SyncedList, SyncedMap, SyncedText } from '../room'
import { useRoom } from './context'
import { type IsEqual, shallowEqual } from './equal'
import { Store, useSelected } from './store'

type Item = SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter

/** One for all components that show a value. */
const stores = new WeakMap<Item, Store<any>>()

function storeOf<T> (room: Room<any, any>, item: Item): Store<T> {
  let store = stores.get(item)
  if (store === undefined) {
    const read = (): unknown => 'toImmutable' in item ? item.toImmutable() : item.toJSON()
    stores.set(item, store = new Store<unknown>(read, changed => room.subscribe(item, changed)))
  }
  return store as Store<T>
}

const all = <T>(value: T): T => value

/**
 * A list as plain JSON, and the list to change it with. Renders again when anything in the list changes; elements that did not
 * change stay the same objects, so `memo` works on them.
 *
 * With a selector, renders again only when what it returns changes: by `isEqual`, by default the same members.
 *
 * @param list the list's name in the room, or the list, a nested one say
 * @example
 * const [todos, list] = useList<Todo>('todos')
 * todos.map((todo, index) => <li key={index} onClick={() => list.get(index)?.set('done', true)}>{todo.text}</li>)
 * @example
 * const [open] = useList<Todo, number>('todos', todos => todos.filter(todo => !todo.done).length)
 */
export function useList<T = any> (list: string | SyncedList<T>): [ReadonlyArray<Plain<T>>, SyncedList<T>]
export function useList<T, R> (list: string | SyncedList<T>, select: (elements: ReadonlyArray<Plain<T>>) => R, isEqual?: IsEqual<R>): [R, SyncedList<T>]
export function useList<T> (list: string | SyncedList<T>, select: (elements: any) => unknown = all, isEqual: IsEqual<any> = shallowEqual): [unknown, SyncedList<T>] {
  const room = useRoom()
  const item = typeof list === 'string' ? room.newList<T>(list) : list
  return [useSelected(storeOf(room, item), select, isEqual), item]
}

/**
 * A map as plain JSON, and the map to change it with. Renders again when anything in the map changes; with a selector, only
 * when what it returns changes.
 *
 * @param map the map's name in the room, or the map, a nested one say
 * @example
 * const [settings, map] = useMap<Settings>('settings')
 * return <input value={settings.title ?? ''} onChange={event => map.set('title', event.target.value)} />
 * @example
 * const [title] = useMap<Settings, string>('settings', settings => settings.title ?? '')
 */
export function useMap<S extends object = Record<string, any>> (map: string | SyncedMap<S>): [Readonly<Partial<Plain<S>>>, SyncedMap<S>]
export function useMap<S extends object, R> (map: string | SyncedMap<S>, select: (entries: Readonly<Partial<Plain<S>>>) => R, isEqual?: IsEqual<R>): [R, SyncedMap<S>]
export function useMap<S extends object> (map: string | SyncedMap<S>, select: (entries: any) => unknown = all, isEqual: IsEqual<any> = shallowEqual): [unknown, SyncedMap<S>] {
  const room = useRoom()
  const item = typeof map === 'string' ? room.newMap<S>(map) : map
  return [useSelected(storeOf(room, item), select, isEqual), item]
}

/**
 * A text as a string, and the text to change it with. An editor is better bound to `text.yjs`, which moves nobody's cursor.
 *
 * @param text the text's name in the room, or the text, a nested one say
 * @example
 * const [title, text] = useText('title')
 * return <button onClick={() => text.append('!')}>{title}</button>
 * @example
 * const [words] = useText('note', note => note.split(/\s+/).length)
 */
export function useText (text: string | SyncedText): [string, SyncedText]
export function useText<R> (text: string | SyncedText, select: (text: string) => R, isEqual?: IsEqual<R>): [R, SyncedText]
export function useText (text: string | SyncedText, select: (text: string) => unknown = all, isEqual: IsEqual<any> = shallowEqual): [unknown, SyncedText] {
  const room = useRoom()
  const item = typeof text === 'string' ? room.newText(text) : text
  return [useSelected(storeOf<string>(room, item), select, isEqual), item]
}

/**
 * A counter's value, and the counter to change it with.
 *
 * @param counter the counter's name in the room, or the counter, a nested one say
 * @example
 * const [likes, counter] = useCounter('likes')
 * return <button onClick={() => counter.increment()}>{likes}</button>
 */
export function useCounter (counter: string | SyncedCounter): [number, SyncedCounter] {
  const room = useRoom()
  const item = typeof counter === 'string' ? room.newCounter(counter) : counter
  return [useSelected(storeOf<number>(room, item), all, Object.is), item]
}
