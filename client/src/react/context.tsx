/** The room around a component. */

import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import type { Json, JsonObject, Room, RoomOptions, SymphonyClient } from '../room'

const Context = createContext<Room<any, any> | null>(null)

/** What SymphonyRoom takes: the room's options, as `client.enter` does, read when it is entered, and: */
export interface SymphonyRoomProps<P extends object = JsonObject> extends RoomOptions<P> {
  /** The server's client; make it once, outside of components. */
  client: SymphonyClient
  /** The room. When it changes, that room is left and the new one entered, with new children. */
  id: string
  /** Shown on the server and for the moment before the room is entered. Default: nothing. */
  fallback?: ReactNode
  children?: ReactNode
}

/** The room that was entered, or why it could not be. */
interface Entered {
  client: SymphonyClient
  id: string
  room?: Room<any, any>
  error?: unknown
}

/**
 * Enters a room while it is mounted, for the hooks of everything in it. Mounted several times with the same client and id,
 * also by StrictMode, it is one room with one connection.
 *
 * The children are there at once, with what is known of the room so far: `useStatus().isSynced` says when everything has
 * arrived.
 *
 * @example
 * const client = new SymphonyClient('wss://example.com/dev')
 *
 * function App () {
 *   return (
 *     <SymphonyRoom client={client} id="my-room" initialPresence={{ name: 'Ada' }}>
 *       <Todos />
 *     </SymphonyRoom>
 *   )
 * }
 */
export function SymphonyRoom<P extends object = JsonObject> ({ client, id, fallback = null, children, ...options }: SymphonyRoomProps<P>): ReactNode {
  const [entered, setEntered] = useState<Entered | null>(null)
  const latest = useRef(options)
  useEffect(() => { latest.current = options })
  useEffect(() => {
    try {
      setEntered({ client, id, room: client.enter<any, any>(id, latest.current) })
    } catch (error) {
      setEntered({ client, id, error })
      return
    }
    // Not at once: when it is mounted again in this very moment, as StrictMode does, the room goes on.
    return () => { setTimeout(() => { void client.leave(id) }) }
  }, [client, id])
  if (entered === null || entered.client !== client || entered.id !== id) return fallback
  if (entered.room === undefined) throw entered.error // for the nearest error boundary
  return <Context.Provider key={id} value={entered.room}>{children}</Context.Provider>
}

/**
 * The room: to change what is in it, and for everything that has no hook. Never renders again by itself.
 *
 * @example
 * const room = useRoom()
 * const add = () => room.newList('todos').push({ text, done: false })
 */
export function useRoom<P extends object = JsonObject, E = Json> (): Room<P, E> {
  const room = useContext(Context)
  if (room === null) throw new Error('Symphony: this hook needs a <SymphonyRoom> around its component')
  return room as Room<P, E>
}
