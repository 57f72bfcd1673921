/** Hooks of who is here. */

import { useCallback } from 'react'
import type { JsonObject, Other, Room } from '../room'
import { useRoom } from './context'
import { type IsEqual, shallowEqual } from './equal'
import { Store, useSelected } from './store'

const others = new WeakMap<Room<any, any>, Store<ReadonlyArray<Other<any>>>>()
const own = new WeakMap<Room<any, any>, Store<object>>()

function storeOf<T> (stores: WeakMap<Room<any, any>, Store<T>>, room: Room<any, any>, topic: 'others' | 'presence', read: () => T): Store<T> {
  let store = stores.get(room)
  if (store === undefined) stores.set(room, store = new Store(read, changed => room.subscribe(topic, changed)))
  return store
}

const all = <T>(value: T): T => value

/**
 * Everybody in the room but this client. Renders again when somebody comes, goes, or changes what they show; with a selector,
 * only when what it returns changes: by `isEqual`, by default the same members.
 *
 * @example
 * const others = useOthers<Presence>()
 * return others.map(({ clientId, presence }) => <Avatar key={clientId} name={presence.name} />)
 * @example
 * const count = useOthers(others => others.length)
 */
export function useOthers<P extends object = JsonObject> (): ReadonlyArray<Other<P>>
export function useOthers<P extends object = JsonObject, R = unknown> (select: (others: ReadonlyArray<Other<P>>) => R, isEqual?: IsEqual<R>): R
export function useOthers (select: (others: any) => unknown = all, isEqual: IsEqual<any> = shallowEqual): unknown {
  const room = useRoom()
  return useSelected(storeOf(others, room, 'others', () => room.getOthers()), select, isEqual)
}

/**
 * What the others see of this client, and a function that changes some of it; other keys stay, undefined takes one away.
 *
 * @example
 * const [me, updateMe] = useMyPresence<Presence>()
 * return <input value={me.name ?? ''} onChange={event => updateMe({ name: event.target.value })} />
 * @example
 * const [, updateMe] = useMyPresence<Presence, null>(() => null) // only to change it: never renders again
 */
export function useMyPresence<P extends object = JsonObject> (): [Readonly<Partial<P>>, (partial: Partial<P>) => void]
export function useMyPresence<P extends object, R> (select: (presence: Readonly<Partial<P>>) => R, isEqual?: IsEqual<R>): [R, (partial: Partial<P>) => void]
export function useMyPresence<P extends object> (select: (presence: any) => unknown = all, isEqual: IsEqual<any> = shallowEqual): [unknown, (partial: Partial<P>) => void] {
  const room = useRoom<P>()
  const update = useCallback((partial: Partial<P>) => { room.updatePresence(partial) }, [room])
  return [useSelected(storeOf(own, room, 'presence', () => room.getPresence()), select, isEqual), update]
}
