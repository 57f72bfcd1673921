/** The way into rooms. */

import { checkRoom, serverUrl } from '../provider/url'
import { Room, type RoomOptions } from './room'
import type { Json, JsonObject } from './types'

/** What holds for every room, unless `enter` says otherwise: the options of SymphonyProvider. */
export type SymphonyClientOptions = Omit<RoomOptions, 'initialPresence'>

interface Entered {
  room: Room<any, any>
  /** How many times it was entered and not left. */
  count: number
}

/**
 * The way into a server's rooms.
 *
 * @example
 * const client = new SymphonyClient('wss://example.com/dev', { token: () => getToken(), offline: true })
 * const room = client.enter('my-room')
 * const todos = room.newList<string>('todos')
 * todos.push('buy milk')
 * await client.leave('my-room')
 */
export class SymphonyClient {
  /**
   * The server, as a ws or wss URL.
   * @example
   * client.url // 'wss://example.com/dev'
   */
  readonly url: string
  readonly #options: SymphonyClientOptions
  readonly #rooms = new Map<string, Entered>()

  /**
   * @param url the server: a ws, wss, http or https URL, or a bare host (wss, or ws on this machine)
   * @param options what holds for every room
   * Throws a TypeError that says what is wrong with a URL that cannot be.
   * @example
   * const client = new SymphonyClient('example.com/dev')
   */
  constructor (url: string, options: SymphonyClientOptions = {}) {
    if (typeof url !== 'string') throw new TypeError('Symphony: the first argument is the URL of the server, such as wss://example.com/dev')
    this.url = serverUrl(url)
    this.#options = options
  }

  /**
   * Enters a room, at once: it connects and fills in the background. Whoever enters a room again gets the same one, with the
   * options it has; it is left when it was left as many times.
   * @example
   * interface Presence { name: string }
   * const room = client.enter<Presence>('my-room', { initialPresence: { name: 'Ada' } })
   */
  enter<P extends object = JsonObject, E = Json> (roomId: string, options: RoomOptions<P> = {}): Room<P, E> {
    checkRoom(roomId)
    let entered = this.#rooms.get(roomId)
    if (entered === undefined) this.#rooms.set(roomId, entered = { room: new Room<P, E>(this.url, roomId, { ...this.#options, ...options }), count: 0 })
    entered.count++
    return entered.room as Room<P, E>
  }

  /**
   * Leaves a room: the others see this client gone at once, and nothing is left behind, neither timer nor socket nor database
   * handle. Changes that are not stored yet are sent; to be certain, await `room.whenSaved()` before, or use `offline`.
   * Resolves when all is closed. A room that was not entered is no error.
   * @example
   * await client.leave('my-room')
   */
  async leave (roomId: string): Promise<void> {
    const entered = this.#rooms.get(roomId)
    if (entered === undefined || --entered.count > 0) return
    this.#rooms.delete(roomId)
    await entered.room.destroy()
  }

  /**
   * The ids of the rooms this client is in.
   * @example
   * client.getRooms() // ['my-room']
   */
  getRooms (): string[] {
    return [...this.#rooms.keys()]
  }

  /**
   * Leaves all rooms, however often they were entered.
   * @example
   * await client.destroy()
   */
  async destroy (): Promise<void> {
    const rooms = [...this.#rooms.values()]
    this.#rooms.clear()
    await Promise.all(rooms.map(({ room }) => room.destroy()))
  }
}
