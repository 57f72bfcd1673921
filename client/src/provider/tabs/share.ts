/**
 * Which tab keeps the connection: the one that holds a Web Lock. The browser hands
 * the lock on when the tab is closed or crashes; from a tab that sleeps it is taken.
 */

import type * as Y from 'yjs'
import { decodeMessage, encodeMessage, type Message } from '../../protocol'
import type { Connection } from '../connection'
import type { Link, SocketLike } from '../link'
import type { Presence } from '../presence'
import { claims } from '../token'
import { sha256 } from '../transfer'
import { openChannel } from './exchange'
import { Hub } from './hub'
import { TabSocket } from './socket'
import { randomId, type Word } from './wire'

/** How long a follower believes in a leader's connection that may be gone, while a new one is made. */
const HANDOVER_MS = 5_000

/** The provider's events that are needed here. */
export interface Events {
  on (name: 'connection-close' | 'synced', listener: (...args: never[]) => void): void
  on (name: 'acknowledged', listener: (id: number, seq: number, update: Uint8Array) => void): void
  on (name: 'lost-connection', listener: (what: string) => void): void
  off (name: string, listener: (...args: never[]) => void): void
}

interface ShareOptions {
  scope: string
  locks: LockManager
  doc: Y.Doc
  connection: Connection
  presence: Presence
  compare: () => void
  events: Events
}

export class Share {
  readonly #o: ShareOptions
  readonly #tab = randomId()
  readonly #sockets = new Set<TabSocket>()
  /** Ends the part this tab has in a name: requests, held locks, listeners. */
  #abort = new AbortController()
  #over = aborted(this.#abort.signal)
  #name = ''
  #channel: BroadcastChannel | null = null
  #hub: Hub | null = null
  #handover: unknown
  /** What went to the last leader may have got lost with it. */
  #resend = false
  #closed = false

  constructor (options: ShareOptions) {
    this.#o = options
    options.connection.tap = this.#tapped
    for (const [name, listener] of this.#listeners()) options.events.on(name as 'synced', listener as () => void)
  }

  #listeners (): Array<[name: string, listener: (...args: never[]) => void]> {
    return [['connection-close', this.#lost], ['synced', this.#synced], ['acknowledged', this.#acknowledged], ['lost-connection', this.#refused]]
  }

  /** Resolves when it is known whether this tab leads. */
  async elect (token: string): Promise<void> {
    const name = await shareName(this.#o.scope, token)
    // Closed meanwhile: a lock taken now would never be given back, and no other tab would lead.
    if (this.#closed || name === this.#name) return
    this.#resign() // another user
    this.#name = name
    const { signal } = this.#abort
    this.#channel = openChannel(name, data => { this.#heard(data as Word) })
    // Held for as long as this tab takes part, so that a leader sees when it is gone.
    await this.#hold(`${name}:${this.#tab}`, { signal })
    if (await this.#hold(name, { ifAvailable: true })) this.#hub = this.#newHub()
    else if (!signal.aborted) void this.#queue()
  }

  /** Resolves when the lock is held, until this tab takes no part any more; false: it is not available. */
  async #hold (name: string, options: LockOptions): Promise<boolean> {
    const { signal } = this.#abort
    const over = this.#over
    return await new Promise(resolve => {
      this.#o.locks.request(name, options, async lock => {
        const held = lock !== null && !signal.aborted
        resolve(held)
        if (held) await over
      }).catch(() => {
        resolve(false) // no locks here, or not any more
        if (!signal.aborted && name === this.#name) this.#robbed()
      })
    })
  }

  /** Waits to be the next leader. */
  async #queue (): Promise<void> {
    if (await this.#hold(this.#name, { signal: this.#abort.signal })) this.#lead()
  }

  /** A socket for the connection; null: the real one. */
  socket (): SocketLike | null {
    if (this.#hub !== null || this.#channel === null) return null
    const socket = new TabSocket({
      tab: this.#tab,
      clock: this.#o.connection.options.clock,
      post: this.#post,
      frozen: () => { void this.#steal() },
      closed: socket => { this.#sockets.delete(socket) }
    })
    this.#sockets.add(socket)
    return socket
  }

  #newHub (): Hub {
    const { doc, connection, presence, compare, locks } = this.#o
    const { signal } = this.#abort
    const name = this.#name
    return new Hub({
      doc, connection, presence, compare, post: this.#post,
      watch: (tab, gone) => { locks.request(`${name}:${tab}`, { signal }, gone).catch(() => {}) }
    })
  }

  #lead (): void {
    if (this.#hub !== null) return // the lock was stolen while this tab waited for it
    this.#hub = this.#newHub()
    this.#o.compare() // the last leader may have had edits of tabs that are gone too
    this.#post({ what: 'leader' })
    this.#move()
  }

  /** The leader sleeps. */
  async #steal (): Promise<void> {
    if (this.#hub === null && await this.#hold(this.#name, { steal: true })) this.#lead()
  }

  /** Another tab took the lock: this one has slept. */
  #robbed (): void {
    if (this.#hub === null) return
    this.#hub = null
    void this.#queue()
    this.#move()
  }

  /** To a connection of this tab's, or through another leader; the old one stays in use meanwhile. */
  #move (): void {
    const { connection } = this.#o
    this.#resend = true
    for (const socket of [...this.#sockets]) if (socket.readyState === 0) socket.fail()
    const stale = [...this.#sockets]
    for (const socket of stale) socket.rest()
    const { clock } = connection.options
    clock.clearTimeout(this.#handover)
    this.#handover = clock.setTimeout(() => { for (const socket of stale) socket.fail() }, HANDOVER_MS)
    if (connection.link === null) connection.wake()
    else connection.renew()
  }

  readonly #post = (word: Word): void => { this.#channel?.postMessage(word) }

  #heard (word: Word): void {
    if (word.what === 'message' && word.socket === null && this.#hub !== null) return this.#published(word.bytes)
    if (this.#hub !== null) return this.#hub.heard(word)
    if (word.what === 'leader') return this.#move()
    for (const socket of [...this.#sockets]) {
      if (word.what === 'closed') socket.fail()
      else if (word.what !== 'open' && word.what !== 'ping' && word.what !== 'send' && word.what !== 'close' && word.what !== 'bye' && (word.socket === null || word.socket === socket.id)) socket.heard(word)
    }
  }

  /** A follower's edit has its number. */
  #published (bytes: Uint8Array<ArrayBuffer>): void {
    const { ready, receiver } = this.#o.connection
    const message = decodeMessage(bytes)
    if (ready !== null && message !== null) receiver.receive(ready, message)
  }

  readonly #tapped = (link: Link, message: Message): void => {
    const { receiver, sender } = this.#o.connection
    if (this.#hub === null) receiver.receive(link, message)
    else this.#hub.received(link, message)
    if (message.type !== 'welcome' || !this.#resend || !link.ready) return
    this.#resend = false
    sender.resend()
    this.#o.presence.announce() // the last leader has said goodbye for this tab
  }

  readonly #lost = (): void => { this.#hub?.lost() }

  readonly #synced = (): void => { this.#hub?.ready() }

  /** An own change has its number: nobody else would tell the other tabs. */
  readonly #acknowledged = (_: number, seq: number, update: Uint8Array): void => {
    if (this.#hub?.alone === true) return
    const message = encodeMessage({ type: 'broadcast', seq, update }) as Uint8Array<ArrayBuffer>
    this.#post({ what: 'message', socket: null, bytes: message })
  }

  readonly #refused = (what: string): void => { if (what === 'failed') this.#resign() }

  leaving (): void {
    this.#hub?.leaving()
  }

  /** Takes no part any more; who waits for the lock gets it. */
  #resign (): void {
    if (this.#o.connection.outbox.size === 0) this.#post({ what: 'bye', tab: this.#tab })
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#over = aborted(this.#abort.signal)
    this.#name = ''
    this.#hub = null
    for (const socket of [...this.#sockets]) socket.fail()
    this.#o.connection.options.clock.clearTimeout(this.#handover)
    if (this.#channel !== null) this.#channel.onmessage = null
    this.#channel?.close()
    this.#channel = null
  }

  close (): void {
    this.#closed = true
    this.#o.connection.tap = null
    for (const [name, listener] of this.#listeners()) this.#o.events.off(name, listener)
    this.#resign()
  }
}

async function aborted (signal: AbortSignal): Promise<void> {
  await new Promise(resolve => { signal.addEventListener('abort', resolve) })
}

/** The same for tabs whose connections would be the same: server, room, parameters, and who the user is. */
async function shareName (scope: string, token: string): Promise<string> {
  const { exp, iat, nbf, jti, ...user } = claims(token) ?? { token }
  const hash = await sha256(new TextEncoder().encode(JSON.stringify([scope, user])))
  return `symphony:${Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('')}`
}
