/** Hook of how well the room is connected. */

import type { Room } from '../room'
import { useRoom } from './context'
import { type IsEqual, shallowEqual } from './equal'
import { Store, useSelected } from './store'

/** How well a room is connected, as the room's properties of these names say it. */
export interface RoomStatus {
  /** The connection. Values may be read and changed in all three states. */
  status: 'connecting' | 'connected' | 'disconnected'
  /** Everything of the room has arrived. */
  isSynced: boolean
  /** The server has stored every change made here. */
  isSaved: boolean
  /** This user may only read. */
  isReadOnly: boolean
}

const TOPICS = ['status', 'synced', 'saved', 'access'] as const
const stores = new WeakMap<Room<any, any>, Store<RoomStatus>>()

function storeOf (room: Room<any, any>): Store<RoomStatus> {
  let store = stores.get(room)
  if (store === undefined) {
    const read = (): RoomStatus => ({ status: room.status, isSynced: room.isSynced, isSaved: room.isSaved, isReadOnly: room.isReadOnly })
    stores.set(room, store = new Store(read, changed => {
      const stops = TOPICS.map(topic => room.subscribe(topic, changed))
      return () => { for (const stop of stops) stop() }
    }))
  }
  return store
}

/**
 * How well the room is connected. With a selector, renders again only when what it returns changes.
 *
 * @example
 * const { isSynced, isSaved } = useStatus()
 * return <span>{!isSynced ? 'offline' : isSaved ? 'saved' : 'saving'}</span>
 * @example
 * const isReadOnly = useStatus(status => status.isReadOnly)
 */
export function useStatus (): RoomStatus
export function useStatus<R> (select: (status: RoomStatus) => R, isEqual?: IsEqual<R>): R
export function useStatus (select: (status: RoomStatus) => unknown = status => status, isEqual: IsEqual<any> = shallowEqual): unknown {
  return useSelected(storeOf(useRoom()), select, isEqual)
}
