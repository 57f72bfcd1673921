/** The leader's side: its connection serves the followers too, who keep their own outbox and count. */

import * as decoding from 'lib0/decoding'
import { encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { decodeMessage, encodeMessage, ErrorCode, MAX_CLIENT_MESSAGE, MAX_HEADER, MAX_TABS, type Message, type MessageOf, VERSION } from '../../protocol'
import type { Connection } from '../connection'
import type { Link } from '../link'
import type { Presence } from '../presence'
import { mergeUpdates } from '../updates'
import { TabSocket } from './socket'
import { SPAN, type Word } from './wire'

interface HubOptions {
  doc: Y.Doc
  connection: Connection
  presence: Presence
  compare: () => void
  post: (word: Word) => void
  /** Calls back when the tab is gone, however it went. */
  watch: (tab: string, gone: () => void) => void
}

interface Follower {
  tab: string
  /** Its part of the message ids. */
  index: number
  /** Its Yjs client, once it has said hello. */
  client: number | null
  opened: boolean
  /** A hello that waits for a moment when the document is complete up to a number. */
  hello: MessageOf<'hello'> | null
}

export class Hub {
  readonly #o: HubOptions
  readonly #followers = new Map<string, Follower>()
  /** The followers' tabs; whether they have said goodbye. */
  readonly #watched = new Map<string, boolean>()
  /** Pieces of ranges, by the link they come on: a follower gets each range whole. */
  readonly #pieces = new WeakMap<Link, Uint8Array[]>()
  #lastIndex = 0
  #user = { id: '', name: '' }

  constructor (options: HubOptions) {
    this.#o = options
  }

  /** The link to the server; not the one through the last leader, which a new leader keeps for a moment. */
  get #ready (): Link | null {
    const { ready } = this.#o.connection
    return ready?.socket instanceof TabSocket ? null : ready
  }

  get alone (): boolean { return this.#followers.size === 0 }

  /** A word of a follower. */
  heard (word: Word): void {
    if (word.what === 'open') return this.#open(word)
    if (word.what === 'bye') return void this.#watched.set(word.tab, true)
    if (word.what !== 'ping' && word.what !== 'send' && word.what !== 'close') return
    const follower = this.#followers.get(word.socket)
    if (follower === undefined) return
    if (word.what === 'ping') this.#o.post({ what: 'pong', socket: word.socket })
    else if (word.what === 'close') this.#followers.delete(word.socket)
    else this.#send(word.socket, follower, word.bytes)
  }

  #open ({ tab, socket, visible }: Word & { what: 'open' }): void {
    const { connection, watch, post } = this.#o
    this.#followers.set(socket, { tab, index: ++this.#lastIndex, client: null, opened: false, hello: null })
    if (!this.#watched.has(tab)) {
      this.#watched.set(tab, false)
      watch(tab, () => { this.#gone(tab) })
    }
    post({ what: 'wait', socket })
    this.ready()
    // A hidden tab's timers come as seldom as once a minute; nobody who looks should wait for them.
    if (visible && globalThis.document?.visibilityState === 'hidden') connection.wake()
  }

  /** The connection may be ready: lets those in who wait for it. */
  ready (): void {
    if (this.#ready === null) return
    for (const [socket, follower] of this.#followers) {
      if (follower.opened) continue
      follower.opened = true
      this.#o.post({ what: 'opened', socket })
    }
  }

  /** The connection is gone. */
  lost (): void {
    if (this.#followers.size === 0) return
    this.#followers.clear()
    this.#o.post({ what: 'closed' })
  }

  #send (socket: string, follower: Follower, bytes: Uint8Array): void {
    const { connection } = this.#o
    const message = decodeMessage(bytes)
    const ready = this.#ready
    if (message === null || ready === null || !follower.opened) return
    switch (message.type) {
      case 'hello':
        follower.client = message.client
        follower.hello = message
        return this.#welcome()
      case 'submit':
      case 'uploadRequest':
      case 'uploadCommit':
        ready.send({ ...message, id: follower.index * SPAN + message.id })
        return connection.sender.active()
      case 'probe': // the leader asks the server itself
        return this.#tell(socket, { type: 'tail', seq: Math.max(message.seq, connection.sequence.last) })
      case 'awareness':
        ready.send(isOf(follower.client, message.update) ? { ...message, type: 'tabPresence' } : message)
        return
      case 'event':
        if (connection.access === 'write') this.#event(socket, message)
        ready.send(message)
        return
      default:
        ready.send(message)
    }
  }

  /** The server passes an event on to other connections; this is for the tabs behind this one. */
  #event (from: string | null, { client, data }: MessageOf<'event'>): void {
    const { connection } = this.#o
    const message: Message = { type: 'peerEvent', connection: connection.id, client, userId: this.#user.id, data }
    for (const [socket, { opened }] of this.#followers) if (opened && socket !== from) this.#tell(socket, message)
    if (from !== null && this.#ready !== null) connection.receiver.receive(this.#ready, message)
  }

  /** Lets the followers hear the events that this tab sends. */
  #listen (link: Link): void {
    const send = link.send.bind(link)
    link.send = message => {
      const sent = send(message)
      if (sent && message.type === 'event' && message.client === this.#o.doc.clientID) this.#event(null, message)
      return sent
    }
  }

  /** Tells the server on a new link whose presence ends with it: all in one message, for each changes the member's record. */
  #introduce (link: Link): void {
    const { awareness } = this.#o.presence
    const tabs = [...this.#followers.values()].map(({ client }) => client).filter(client => client !== null && awareness.states.has(client)).slice(0, MAX_TABS) as number[]
    if (tabs.length === 0) return
    const update = encodeAwarenessUpdate(awareness, tabs)
    // What does not fit is told one by one, with the next that each shows.
    if (update.length + MAX_HEADER <= MAX_CLIENT_MESSAGE) link.send({ type: 'tabPresence', update })
  }

  /** Answers hellos from the document: everything up to the last number without a gap is in there. */
  #welcome (): void {
    const { connection, doc } = this.#o
    if (this.#ready === null || connection.links().some(link => link.snapshots > 0)) return
    for (const [socket, follower] of this.#followers) {
      const { hello } = follower
      if (hello === null) continue
      follower.hello = null
      this.#tell(socket, {
        type: 'welcome', version: VERSION, epoch: connection.epoch, through: connection.sequence.last, connection: connection.id,
        userId: this.#user.id, userName: this.#user.name, access: connection.access, members: connection.members,
        time: connection.options.clock.now(), stateVector: Y.encodeStateVector(doc),
        update: Y.encodeStateAsUpdate(doc, hello.stateVector.length === 0 ? undefined : hello.stateVector)
      })
    }
  }

  /** A message of the server on a link of this tab. */
  received (link: Link, message: Message): void {
    const { connection } = this.#o
    if ((message.type === 'ack' || message.type === 'uploadOffer' || message.type === 'error') && message.id >= SPAN) {
      connection.sender.alive()
      const index = Math.floor(message.id / SPAN)
      for (const [socket, follower] of this.#followers) {
        if (follower.index === index) this.#tell(socket, { ...message, id: message.id % SPAN })
      }
      return
    }
    if (message.type === 'welcome') {
      this.#user = { id: message.userId, name: message.userName }
      if (!link.ready) this.#listen(link)
    }
    const pieces = this.#pieces.get(link) ?? []
    const { epoch } = connection
    const served = link.ready
    connection.receiver.receive(link, message)
    if (message.type === 'range' || message.type === 'welcome') {
      this.#pieces.set(link, message.type === 'range' && message.more ? [...pieces, message.update] : [])
    }
    this.ready()
    if (message.type === 'welcome' && !served && link === this.#ready) this.#introduce(link)
    if (this.#followers.size > 0) this.#mirror(link, message, served, epoch, pieces)
    this.#welcome()
  }

  /** Passes on what the followers' own connections would have brought them. */
  #mirror (link: Link, message: Message, served: boolean, epoch: string, pieces: Uint8Array[]): void {
    const { connection } = this.#o
    switch (message.type) {
      case 'welcome': // of the link that replaces another
        if (served || link !== connection.link) return
        if (message.epoch !== epoch) return this.lost()
        return this.#tell(null, { type: 'range', after: 0, through: message.through, more: false, update: mergeUpdates([...pieces, message.update]) })
      case 'range':
        if (!served || message.more) return
        if (link.snapshots > 0) return this.lost()
        return this.#tell(null, { ...message, update: mergeUpdates([...pieces, message.update]) })
      case 'snapshotByUrl': // they ask again when it is here
        return this.lost()
      case 'broadcast':
      case 'broadcastByUrl':
      case 'syncUpdate':
      case 'syncStep2':
        if (served) this.#tell(null, message)
        return
      case 'error':
        if (message.id === 0 && (message.code === ErrorCode.denied || message.code === ErrorCode.roomId || message.code === ErrorCode.readOnly)) this.#tell(null, message)
        return
      case 'awareness':
      case 'peerJoined':
      case 'peerLeft':
      case 'tabLeft':
      case 'peerEvent':
      case 'notice':
      case 'auth':
        this.#tell(null, message)
    }
  }

  #tell (socket: string | null, message: Message): void {
    this.#o.post({ what: 'message', socket, bytes: encodeMessage(message) as Uint8Array<ArrayBuffer> })
  }

  /** A follower's tab is gone: says goodbye for it, should it not have done so itself. */
  #gone (tab: string): void {
    const clean = this.#watched.get(tab) === true
    this.#watched.delete(tab)
    for (const [socket, follower] of this.#followers) {
      if (follower.tab !== tab) continue
      this.#followers.delete(socket)
      if (follower.client !== null) this.#goodbye(follower.client)
    }
    if (clean) return
    // What it told the other tabs, and perhaps no server: a new connection compares.
    this.#o.compare()
    this.#o.connection.renew()
  }

  #goodbye (client: number): void {
    const { presence } = this.#o
    const { awareness } = presence
    if (client === awareness.clientID || !awareness.states.has(client)) return
    this.#ready?.send({ type: 'awareness', update: encodeAwarenessUpdate(awareness, [client], new Map()) })
    removeAwarenessStates(awareness, [client], presence.origin)
  }

  /** Says goodbye for all followers: whoever of them goes on says hello again at once. */
  leaving (): void {
    for (const { client } of this.#followers.values()) if (client !== null) this.#goodbye(client)
  }
}

/** Whether an awareness update is of this client and nobody else. */
function isOf (client: number | null, update: Uint8Array): boolean {
  const input = decoding.createDecoder(update)
  return decoding.readVarUint(input) === 1 && decoding.readVarUint(input) === client
}
