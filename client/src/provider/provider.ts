/** The provider: a Yjs document, its awareness and its connection, put together. */

import { ObservableV2 } from 'lib0/observable'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { DEFAULT_TIMES, type Message, type MessageOf } from '../protocol'
import { type Clock, systemClock } from './clock'
import { Connection, type Host, type Problem, type Status } from './connection'
import type { SocketConstructor, SocketLike } from './link'
import type { SymphonyProviderOptions } from './options'
import { Page } from './page'
import { Presence } from './presence'
import type { OfflineStore } from './store'
import type { Tabs } from './tabs'
import { obtain, subprotocols, type Token } from './token'
import { isContained, isEmptyUpdate } from './updates'
import { checkRoom, roomUrl, serverUrl } from './url'

/** The provider's events, by name. */
export type SymphonyProviderEvents = {
  /** y-websocket's: the connection's state. */
  status: (event: { status: Status }) => void
  /** Whether everything of the room has arrived. */
  sync: (synced: boolean) => void
  synced: (synced: boolean) => void
  /** The event is null when this side closed. */
  'connection-close': (event: CloseEvent | null, provider: SymphonyProvider) => void
  /** It will not connect again by itself: the server refused for good, with this reason. */
  closed: (event: { code: number, reason: string }, provider: SymphonyProvider) => void
  'connection-error': (event: Event | Error, provider: SymphonyProvider) => void
  /** The first local change waits for the server, or none any more. */
  'sync-status': (event: { hasUnacknowledgedChanges: boolean }) => void
  /** The connection is away for more than 5 s, is back, or was refused for good. */
  'lost-connection': (what: 'lost' | 'restored' | 'failed') => void
  /** A word from the server's operator. */
  notice: (notice: { code: string, text: string }) => void
  /** The server refused something, or this browser could not store something. */
  error: (problem: Problem) => void
  /** Offline data has been read into the document. */
  loaded: () => void
  /** Each update that has a number in the room (null: part of a range). */
  update: (seq: number, update: Uint8Array | null) => void
  /** Another member's event (docs/PROTOCOL.md, "Events"). */
  event: (event: MessageOf<'peerEvent'>) => void
  /** A local update is durable under this number. */
  acknowledged: (id: number, seq: number, update: Uint8Array) => void
}

/**
 * Keeps a Yjs document in sync with a room.
 *
 * A drop-in for y-websocket's WebsocketProvider, for servers of Symphony.
 *
 * @example
 * const doc = new Y.Doc()
 * const provider = new SymphonyProvider('wss://example.com/dev', 'my-room', doc, { token: () => getToken(), offline: true })
 * provider.on('sync', synced => console.log(synced))
 */
export class SymphonyProvider extends ObservableV2<SymphonyProviderEvents> {
  readonly doc: Y.Doc
  readonly awareness: Awareness
  readonly serverUrl: string
  readonly roomname: string
  /** Query parameters of the next connection; may be changed. */
  params: Record<string, string>
  /** The token of the next connection; may be changed, and used at once with refreshToken. */
  token: Token | undefined
  readonly bcChannel: string
  /** Resolves when offline data (if any) is in the document. */
  readonly whenLoaded: Promise<void>
  /** The session with the room, for layers above. */
  readonly connection: Connection
  shouldConnect = false
  bcconnected = false

  readonly #options: SymphonyProviderOptions
  readonly #clock: Clock
  readonly #presence: Presence
  readonly #page: Page
  readonly #ownAwareness: boolean
  #tabs: Tabs | null = null
  /** The exchange with other tabs is being loaded. */
  #joining: Promise<void> | null = null
  #store: OfflineStore | null = null
  /** Local edits before the store is open. */
  #loading: boolean
  #destroyed = false
  /** Another tab's edits are here that perhaps no server has: the next welcome compares. */
  #compare = false

  /**
   * @param url the server: a ws, wss, http or https URL or a bare host
   * @param room any text of 1 to 256 bytes
   * Throws a TypeError for a URL or room that cannot be.
   */
  constructor (url: string, room: string, doc: Y.Doc, options: SymphonyProviderOptions = {}) {
    super()
    this.serverUrl = serverUrl(url)
    this.roomname = checkRoom(room)
    this.doc = doc
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.params = options.params ?? {}
    this.token = options.token
    this.bcChannel = `symphony:${JSON.stringify([this.serverUrl, room])}`
    this.#ownAwareness = options.awareness === undefined
    this.awareness = options.awareness ?? new Awareness(doc)
    const times = { ...DEFAULT_TIMES, ...options.times }
    if (options.maxBackoffTime !== undefined) times.backoffMax = options.maxBackoffTime
    this.connection = new Connection({
      host: this.#host(),
      token: async () => {
        const token = await obtain(this.token)
        await this.#joining
        await this.#tabs?.elect(token)
        return token
      },
      open: token => this.#open(token),
      client: doc.clientID,
      times,
      clock: this.#clock,
      random: options.random ?? Math.random,
      fetch: options.fetch ?? ((...args) => globalThis.fetch(...args))
    })
    this.#presence = new Presence({
      awareness: this.awareness,
      origin: this,
      clock: this.#clock,
      timers: this.connection.timers,
      times,
      members: () => this.connection.members,
      send: message => this.connection.ready?.send(message) ?? false,
      share: update => { this.#tabs?.post({ type: 'awareness', update }) }
    })
    this.#page = new Page({ wake: () => { this.connection.wake() }, hide: this.#hide, show: this.#show })
    doc.on('update', this.#updated)
    doc.on('destroy', this.#docDestroyed)
    this.#loading = options.offline === true
    this.whenLoaded = this.#loading ? this.#load() : Promise.resolve()
    if (options.connect !== false) this.connect()
  }

  /** The URL that is dialled, without the token. */
  get url (): string {
    return roomUrl(this.serverUrl, this.roomname, this.params)
  }

  /** The socket in use: the browser's, or one through another tab. */
  get ws (): SocketLike | null { return this.connection.link?.socket ?? null }
  /** Everything of the room has arrived. */
  get synced (): boolean { return this.connection.synced }
  get wsconnected (): boolean { return this.connection.status === 'connected' }
  get wsconnecting (): boolean { return this.connection.status === 'connecting' }
  /** True while a local change is not stored by the server. */
  get hasUnacknowledgedChanges (): boolean { return this.connection.outbox.size > 0 }
  /** The server says that this user may only read. Known after the first sync. */
  get isReadOnly (): boolean { return this.connection.access === 'read' }

  /** Connects, and stays connected until disconnect. */
  connect (): void {
    if (this.#destroyed) return
    this.shouldConnect = true
    if (this.#loading) return // #load goes on
    this.connectBc()
    this.connection.connect()
  }

  /** Leaves the room; local changes stay and go out after the next connect. */
  disconnect (): void {
    this.shouldConnect = false
    this.connection.sender.flush()
    this.#presence.leave()
    this.disconnectBc()
    this.connection.disconnect()
    this.#presence.forget()
  }

  /** Ends everything: timers, sockets, listeners, database. The document stays. */
  override destroy (): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.disconnect()
    this.connection.sender.destroy()
    this.doc.off('update', this.#updated)
    this.doc.off('destroy', this.#docDestroyed)
    this.#presence.destroy()
    if (this.#ownAwareness) this.awareness.destroy()
    this.#page.destroy()
    this.connection.timers.clearAll()
    void this.#store?.close()
    super.destroy()
  }

  /** Takes part in the exchange with other tabs. */
  connectBc (): void {
    const { disableBc, protocols, shareConnection, WebSocketPolyfill } = this.#options
    if (disableBc === true || this.bcconnected || typeof BroadcastChannel === 'undefined') return
    this.bcconnected = true
    this.#joining = import('./tabs').then(({ Tabs }) => {
      if (!this.bcconnected || this.#tabs !== null) return
      this.#tabs = new Tabs({
        name: this.bcChannel,
        doc: this.doc,
        presence: this.#presence,
        edited: update => { this.#editsOfTab(update) },
        connection: this.connection,
        events: this,
        compare: () => { this.#compare = true },
        share: shareConnection ?? WebSocketPolyfill === undefined ? JSON.stringify([this.url, protocols]) : null
      })
    }).catch(this.#storeFailed)
  }

  disconnectBc (): void {
    this.#tabs?.close()
    this.#tabs = null
    this.bcconnected = false
  }

  /** Gets a new token now and moves to a connection made with it, without a gap. */
  refreshToken (token?: Token): void {
    if (token !== undefined) this.token = token
    this.connection.renew()
  }

  /** Resolves when everything so far is stored in this browser; at once without `offline`. */
  async flushOffline (): Promise<void> {
    await this.whenLoaded
    await this.#store?.flush()
  }

  /** Removes the room's offline data from this browser, and keeps none from now on. */
  async clearOffline (): Promise<void> {
    await this.whenLoaded
    const store = this.#store
    this.#store = null
    await store?.delete()
  }

  #open (token: string) {
    const { WebSocketPolyfill, protocols = [], tokenIn } = this.#options
    const Socket = WebSocketPolyfill ?? (globalThis.WebSocket as unknown as SocketConstructor)
    const inQuery = tokenIn === 'query' && token !== ''
    const url = inQuery ? roomUrl(this.serverUrl, this.roomname, { ...this.params, token }) : this.url
    return this.#tabs?.socket() ?? new Socket(url, [...subprotocols(inQuery ? '' : token), ...protocols])
  }

  #host (): Host {
    return {
      stateVector: () => Y.encodeStateVector(this.doc),
      apply: updates => { this.#apply(updates) },
      missing: (stateVector, known) => {
        this.#compare = false
        const update = Y.encodeStateAsUpdate(this.doc, stateVector)
        return isEmptyUpdate(update) || isContained(update, known) ? null : update
      },
      resumes: () => !this.#compare,
      settled: keys => { this.#store?.settle(keys) },
      moved: (epoch, last) => { this.#store?.moved({ epoch, last }) },
      status: status => { this.emit('status', [{ status }]) },
      synced: synced => {
        this.emit('synced', [synced])
        this.emit('sync', [synced])
      },
      unacknowledged: any => {
        this.#page.guard(any && this.#options.warnBeforeUnload === true)
        this.emit('sync-status', [{ hasUnacknowledgedChanges: any }])
      },
      lost: what => { this.emit('lost-connection', [what]) },
      refused: (code, reason) => {
        this.shouldConnect = false
        this.emit('closed', [{ code, reason }, this])
      },
      welcome: (_, replaced) => { if (!replaced) this.#presence.joined() },
      renewed: () => { this.#presence.announce() },
      other: message => { this.#other(message) },
      arrived: (seq, update) => { this.emit('update', [seq, update]) },
      acknowledged: (id, seq, update) => { this.emit('acknowledged', [id, seq, update]) },
      problem: problem => { this.emit('error', [problem]) },
      closed: event => {
        this.#presence.forget()
        this.emit('connection-close', [event, this])
        if (event !== null && !(this.#options.shouldReconnect ?? shouldReconnect)(event, this)) this.connection.fail({ code: event.code, text: event.reason })
        this.#tabs?.post({ type: 'queryAwareness' })
      },
      failed: event => { this.emit('connection-error', [event, this]) }
    }
  }

  #apply (updates: Uint8Array[]): void {
    // One transaction: observers see all of it or nothing.
    Y.transact(this.doc, () => { for (const update of updates) Y.applyUpdate(this.doc, update, this) }, this, false)
    // The bytes as they came: what waits for an update yet to come makes no event.
    for (const update of updates) this.#store?.add(update)
  }

  readonly #updated = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return
    this.#tabs?.post({ type: 'syncUpdate', update })
    this.connection.sender.submit(update, this.#store === null ? [] : [this.#store.addLocal(update)])
  }

  #other (message: Message): void {
    switch (message.type) {
      case 'awareness': return this.#presence.receive(message.update)
      case 'queryAwareness': return this.#presence.answer()
      case 'peerJoined':
        this.connection.members++
        return this.#presence.peerJoined(message)
      case 'peerLeft':
        this.connection.members = Math.max(1, this.connection.members - 1)
        return this.#presence.peerLeft(message)
      case 'tabLeft': return this.#presence.left(message.client)
      case 'peerEvent': return this.emit('event', [message])
      case 'notice':
        this.emit('notice', [{ code: message.code, text: message.text }])
    }
  }

  /** The tab that made an edit sends it to the server; should it die first, the comparison at the next welcome finds it. */
  #editsOfTab (update: Uint8Array): void {
    try {
      this.#apply([update])
      this.#compare = true
    } catch (error) {
      this.emit('error', [{ code: 0, text: `another tab sent what cannot be read: ${String(error)}` }])
    }
  }

  /** Opens the offline store and puts what is there into the document; connects afterwards. */
  async #load (): Promise<void> {
    try {
      const { databaseName, OfflineStore } = await import('./store')
      const session = `${this.#clock.now().toString(36).padStart(9, '0')}-${this.doc.clientID}`
      const { store, stored } = await OfflineStore.open(databaseName(this.serverUrl, this.roomname), session, this.#storeFailed)
      if (this.#destroyed) {
        await store.close()
        return
      }
      const { connection } = this
      // Edits made while it opened are only in the outbox yet.
      for (const part of connection.outbox.waiting) part.keys.push(store.addLocal(part.update))
      this.#store = store
      if (stored.position !== null) {
        connection.epoch = stored.position.epoch
        connection.sequence.advance(stored.position.last)
      }
      Y.transact(this.doc, () => { for (const update of stored.updates) Y.applyUpdate(this.doc, update, this) }, this, false)
      for (const { key, update } of stored.outbox) connection.outbox.add(update, [key])
      connection.sender.changed()
    } catch (error) {
      this.#storeFailed(error)
    } finally {
      this.#loading = false
      if (!this.#destroyed) {
        this.emit('loaded', [])
        if (this.shouldConnect) this.connect()
      }
    }
  }

  readonly #storeFailed = (error: unknown): void => {
    this.emit('error', [{ code: 0, text: `this browser: ${String(error)}` }])
  }

  readonly #hide = (): void => {
    this.connection.sender.flush()
    this.#tabs?.leaving()
    this.#presence.leave()
  }

  readonly #show = (): void => {
    this.connection.wake()
    this.#presence.announce()
  }

  readonly #docDestroyed = (): void => { this.destroy() }
}

function shouldReconnect ({ code }: CloseEvent): boolean {
  return !(code >= 4400 && code < 4500)
}
