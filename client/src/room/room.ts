/** A room: its shared values, who is in it, and how well it is connected. */

import * as Y from 'yjs'
import { encodeMessage, MAX_CLIENT_MESSAGE } from '../protocol'
import { type Problem, SymphonyProvider, type SymphonyProviderOptions } from '../provider'
import type { Status } from '../provider/connection'
import { type Change, Changes } from './changes'
import { counter, type SyncedCounter } from './counter'
import { Conversion } from './convert'
import { draft } from './draft'
import { InvalidValueError, LeftRoomError, ReadOnlyError } from './errors'
import { History, type HistoryOptions } from './history'
import type { SyncedList } from './list'
import type { SyncedMap } from './map'
import { type Other, Presences } from './presence'
import { type Kind, root } from './roots'
import { Space } from './space'
import { Synced, typeOf } from './synced'
import type { SyncedText } from './text'
import { type Callback, Topics } from './topics'
import type { Input, Json, JsonObject } from './types'

/** What a room can be told. Everything of SymphonyProvider's options, and: */
export interface RoomOptions<P extends object = JsonObject> extends Omit<SymphonyProviderOptions, 'awareness'> {
  /** What the others see of this client at first. */
  initialPresence?: P
  /** Of the room's history: changes less than so many milliseconds apart are one step. Default 0: each is its own. */
  captureTimeout?: number
}

/** What `room.subscribe` calls back with, by topic. */
export interface RoomEvents<P extends object, E> {
  /** Somebody else came, went, or changed what they show. Never for this client's own presence. */
  others: (others: ReadonlyArray<Other<P>>) => void
  /** What this client shows has changed. */
  presence: (presence: Partial<P>) => void
  /** The connection's state. */
  status: (status: Status) => void
  /** Whether everything of the room has arrived. */
  synced: (synced: boolean) => void
  /** Whether the server has stored all changes made here. */
  saved: (saved: boolean) => void
  /** Whether this user may only read. */
  access: (isReadOnly: boolean) => void
  /** Somebody else's `room.broadcast`. */
  broadcast: (event: E, from: Sender) => void
  /** The server refused something, or this browser could not store something. */
  error: (problem: Problem) => void
}

/** Who broadcast an event. */
export interface Sender {
  /** As the sender says. */
  clientId: number
  /** As the server knows; '' without authentication. */
  userId: string
}

const TOPICS = ['others', 'presence', 'status', 'synced', 'saved', 'access', 'broadcast', 'error']

/**
 * A room, from `client.enter`. `P` is what people show of themselves, `E` what
 * they broadcast.
 *
 * @example
 * interface Presence { name: string, cursor?: { x: number, y: number } }
 * const room = client.enter<Presence>('my-room')
 * const todos = room.newList<{ text: string, done: boolean }>('todos')
 * room.subscribe(todos, () => render(todos.toArray()))
 */
export class Room<P extends object = JsonObject, E = Json> {
  /**
   * The Yjs document, for what this class does not offer.
   * @example
   * Y.encodeStateAsUpdate(room.doc)
   */
  readonly doc: Y.Doc
  /**
   * The connection, for editor bindings.
   * @example
   * yCollab(note.yjs, room.provider.awareness)
   */
  readonly provider: SymphonyProvider
  /**
   * Undo and redo of what this client does in the room's values.
   * @example
   * undoButton.onclick = () => room.history.undo()
   */
  readonly history: History
  readonly #id: string
  readonly #clientId: number
  readonly #space: Space
  readonly #topics = new Topics()
  readonly #changes: Changes
  readonly #presences: Presences<P>
  #left = false
  #readOnly = false

  /** @internal */
  constructor (url: string, id: string, options: RoomOptions<P> = {}) {
    const { initialPresence, captureTimeout = 0, ...rest } = options
    this.doc = new Y.Doc()
    this.#id = id
    this.#clientId = this.doc.clientID
    this.#space = new Space(this.doc, () => { this.#assertWritable() })
    this.provider = new SymphonyProvider(url, id, this.doc, { ...rest, connect: false })
    this.#changes = new Changes(this.#space, this.#topics)
    this.#presences = new Presences<P>(this.provider.awareness, this.#space, this.#topics)
    this.history = new History(this.#space, [], { captureTimeout })
    this.#listen()
    if (initialPresence !== undefined) this.#presences.update(initialPresence)
    if (rest.connect !== false) this.provider.connect()
  }

  /**
   * The room's id.
   * @example
   * room.getRoomId() // 'my-room'
   */
  getRoomId (): string {
    return this.#id
  }

  /**
   * This client's id in the room: it stays the same until the room is left.
   * @example
   * room.getClientId() // 2743628113
   */
  getClientId (): number {
    return this.#clientId
  }

  /**
   * 'connecting', 'connected' or 'disconnected'. Values may be read and changed in all three.
   * @example
   * room.subscribe('status', status => { badge.textContent = status })
   */
  get status (): Status {
    return this.provider.connection.status
  }

  /**
   * Whether everything of the room has arrived.
   * @example
   * if (room.isSynced) render()
   */
  get isSynced (): boolean {
    return this.provider.synced
  }

  /**
   * Whether the server has stored every change made here.
   * @example
   * badge.textContent = room.isSaved ? 'saved' : 'saving'
   */
  get isSaved (): boolean {
    return !this.provider.hasUnacknowledgedChanges
  }

  /**
   * Whether this user may only read; known after the first sync. A change is then a ReadOnlyError.
   * @example
   * editor.disabled = room.isReadOnly
   */
  get isReadOnly (): boolean {
    return this.provider.isReadOnly
  }

  /**
   * Resolves when everything of the room has arrived. Rejects when the room is left or was refused first.
   * @example
   * await room.whenSynced()
   */
  async whenSynced (): Promise<void> {
    await this.#until(() => this.isSynced, 'synced')
  }

  /**
   * Resolves when the server has stored every change made so far. Rejects when the room is left or was refused first.
   * @example
   * todos.push(todo)
   * await room.whenSaved()
   */
  async whenSaved (): Promise<void> {
    await this.#until(() => this.isSaved, 'saved')
  }

  // Shared values by name.

  /**
   * The list of that name, the same for everybody in the room.
   * Throws a TypeClashError when the name is that of something else.
   * @example
   * const todos = room.newList<{ text: string, done: boolean }>('todos')
   */
  newList<T = any> (name: string): SyncedList<T> {
    return this.#root(name, 'list') as SyncedList<T>
  }

  /**
   * The map of that name, the same for everybody in the room.
   * Throws a TypeClashError when the name is that of something else.
   * @example
   * const todo = room.newMap<{ text: string, done: boolean }>('todo')
   */
  newMap<S extends object = Record<string, any>> (name: string): SyncedMap<S> {
    return this.#root(name, 'map') as unknown as SyncedMap<S>
  }

  /**
   * The text of that name, the same for everybody in the room.
   * Throws a TypeClashError when the name is that of something else.
   * @example
   * const note = room.newText('note')
   */
  newText (name: string): SyncedText {
    return this.#root(name, 'text') as SyncedText
  }

  /**
   * The counter of that name, the same for everybody in the room.
   * Throws a TypeClashError when the name is that of something else.
   * @example
   * const likes = room.newCounter('likes')
   */
  newCounter (name: string): SyncedCounter {
    return this.#root(name, 'counter') as SyncedCounter
  }

  // Values to be put into others.

  /**
   * A list to be put into another list or a map. It can be filled before and stays alive afterwards.
   * @example
   * const tags = room.newNestedList(['urgent'])
   * todo.set('tags', tags)
   * tags.push('home')
   */
  newNestedList<T = any> (values: ReadonlyArray<Input<T>> = []): SyncedList<T> {
    return draft(conversion => conversion.value(values) as Y.AbstractType<any>)
  }

  /**
   * A map to be put into a list or another map. It can be filled before and stays alive afterwards.
   * @example
   * const todo = room.newNestedMap({ text: 'buy milk', done: false })
   * todos.push(todo)
   * todo.set('done', true)
   */
  newNestedMap<S extends object = Record<string, any>> (values: { [K in keyof S]?: Input<S[K]> } = {}): SyncedMap<S> {
    return draft(conversion => conversion.value(values) as Y.AbstractType<any>)
  }

  /**
   * A text to be put into a list or a map.
   * @example
   * notes.push(room.newNestedText('Dear diary,'))
   */
  newNestedText (text = ''): SyncedText {
    return draft(() => new Y.Text(text))
  }

  /**
   * A counter to be put into a list or a map.
   * @example
   * post.set('likes', room.newNestedCounter())
   */
  newNestedCounter (value = 0): SyncedCounter {
    return draft(conversion => counter(conversion.value(value, 'the value') as number, this.doc.clientID))
  }

  /**
   * Makes several changes as one: the others see all of them at once or none, they travel as one message, and one undo takes
   * them back. The function runs at once and must not be async. When it throws, what it had changed stays.
   * @example
   * room.bundle(() => {
   *   for (const text of lines) todos.push({ text, done: false })
   * })
   */
  bundle<R> (change: () => R): R {
    const { histories } = this.#space
    for (const history of histories) history.cut()
    try {
      const result = this.#space.change(change)
      if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
        throw new TypeError('Symphony: what happens after an await is not in the bundle any more; await first, then bundle')
      }
      return result
    } finally {
      for (const history of histories) history.cut()
    }
  }

  /**
   * A history of some values only, beside the room's own.
   * @example
   * const history = room.newHistory([todos, note], { captureTimeout: 500 })
   */
  newHistory (items: ReadonlyArray<SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter>, options: HistoryOptions = {}): History {
    return new History(this.#space, items.map(typeOf), options)
  }

  // Presence.

  /**
   * Everybody in the room but this client. The same array until it changes.
   * @example
   * room.getOthers().map(other => other.presence.name)
   */
  getOthers (): ReadonlyArray<Other<P>> {
    return this.#presences.others()
  }

  /**
   * What the others see of this client.
   * @example
   * room.getPresence().name
   */
  getPresence (): Partial<P> {
    return this.#presences.own()
  }

  /**
   * Changes some of what the others see of this client; undefined takes a key away, other keys stay.
   * @example
   * room.updatePresence({ cursor: { x: 10, y: 20 } })
   */
  updatePresence (partial: Partial<P>): void {
    this.#assertIn()
    this.#presences.update(partial)
  }

  /**
   * Has the others hear of something once: it is not stored, and who is not connected does not hear of it. Any JSON of up to
   * some 23 KB. Returns whether it went out: false without a connection.
   * Throws a ReadOnlyError for who may only read.
   * @example
   * room.subscribe('broadcast', (event, from) => celebrate(event, from.userId))
   * room.broadcast({ type: 'confetti' })
   */
  broadcast (event: E): boolean {
    this.#assertWritable()
    new Conversion(this.#space).value(event, 'the event')
    const message = { type: 'event', client: this.#clientId, data: JSON.stringify(event) } as const
    const size = encodeMessage(message).length
    if (size > MAX_CLIENT_MESSAGE) throw new InvalidValueError(`Symphony: an event of ${size} bytes; at most ${MAX_CLIENT_MESSAGE} fit a message`)
    return this.provider.connection.ready?.send(message) ?? false
  }

  /**
   * Calls back after changes: of a value and everything nested in it, of who else is here ('others'), and of the connection.
   * Changes made in one bundle, or arriving together, are one call. Returns what ends it.
   * @example
   * const stop = room.subscribe(todos, (list, change) => render(list.toArray(), change.paths))
   * room.subscribe('others', others => showCursors(others))
   */
  subscribe<I extends SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter> (item: I, callback: (item: I, change: Change) => void): () => void
  subscribe<T extends keyof RoomEvents<P, E>> (topic: T, callback: RoomEvents<P, E>[T]): () => void
  subscribe (topic: unknown, callback: Callback): () => void {
    this.#assertIn()
    this.#checkTopic(topic)
    if (typeof callback !== 'function') throw new TypeError('Symphony: subscribe takes what to watch and a function to call')
    return this.#topics.add(topic, callback)
  }

  /**
   * Ends a subscription; without a callback, all of that value or topic.
   * @example
   * room.unsubscribe(todos)
   * room.unsubscribe('others', showCursors)
   */
  unsubscribe (topic: SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter | keyof RoomEvents<P, E>, callback?: Callback): void {
    this.#checkTopic(topic)
    this.#topics.remove(topic, callback)
  }

  /**
   * Stays offline until connect. Changes are kept and go out then.
   * @example
   * room.disconnect()
   */
  disconnect (): void {
    this.provider.disconnect()
  }

  /**
   * Connects again after disconnect.
   * @example
   * room.connect()
   */
  connect (): void {
    this.#assertIn()
    this.provider.connect()
  }

  /** Ends everything; called by the client. @internal */
  async destroy (): Promise<void> {
    if (this.#left) return
    this.#left = true
    const flushed = this.provider.flushOffline()
    this.#changes.destroy()
    this.#presences.destroy()
    this.history.destroy()
    for (const history of [...this.#space.histories]) history.destroy()
    this.provider.destroy()
    this.#topics.emit(LEFT)
    this.#topics.clear()
    await flushed
  }

  #root (name: string, kind: Kind): Synced {
    const value = root(this.#space, name, kind)
    this.history.add(typeOf(value))
    return value
  }

  #listen (): void {
    const { provider } = this
    const topics = this.#topics
    provider.on('status', ({ status }) => { topics.emit('status', status) })
    provider.on('sync', synced => {
      this.#access()
      topics.emit('synced', synced)
    })
    provider.on('sync-status', ({ hasUnacknowledgedChanges }) => { topics.emit('saved', !hasUnacknowledgedChanges) })
    provider.on('error', problem => {
      this.#access()
      topics.emit('error', problem)
    })
    provider.on('event', ({ client, data, userId }) => { topics.emitJson('broadcast', data, { clientId: client, userId } satisfies Sender) })
    provider.on('lost-connection', what => { if (what === 'failed') topics.emit(REFUSED) })
  }

  #access (): void {
    if (this.isReadOnly === this.#readOnly) return
    this.#readOnly = this.isReadOnly
    this.#topics.emit('access', this.#readOnly)
  }

  async #until (reached: () => boolean, topic: string): Promise<void> {
    this.#assertIn()
    if (reached()) return
    await new Promise<void>((resolve, reject) => {
      const stops = [
        this.#topics.add(topic, () => { if (reached()) end(resolve) }),
        this.#topics.add(LEFT, () => { end(() => { reject(left(this.#id)) }) }),
        this.#topics.add(REFUSED, () => { end(() => { reject(new Error(`Symphony: the server refused the room "${this.#id}"`)) }) })
      ]
      function end (then: () => void): void {
        for (const stop of stops) stop()
        then()
      }
    })
  }

  #checkTopic (topic: unknown): void {
    if (topic instanceof Synced || TOPICS.includes(topic as string)) return
    throw new TypeError(`Symphony: subscribe to a list, map, text or counter, or to one of ${TOPICS.map(one => `'${one}'`).join(', ')}`)
  }

  #assertIn (): void {
    if (this.#left) throw left(this.#id)
  }

  #assertWritable (): void {
    this.#assertIn()
    if (this.isReadOnly) throw new ReadOnlyError(`Symphony: this user may only read the room "${this.#id}"`)
  }
}

const LEFT = Symbol('left')
const REFUSED = Symbol('refused')

function left (id: string): LeftRoomError {
  return new LeftRoomError(`Symphony: the room "${id}" was left; enter it again`)
}
