/**
 * Presence over y-protocols' awareness (docs/PROTOCOL.md, "Presence").
 *
 * The server says who left, so nobody repeats an unchanged state every 15 s as
 * y-protocols does: states are marked to never grow old there, and are removed
 * here.
 */

import { type Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import { MAX_CLIENT_MESSAGE, MAX_HEADER, type MessageOf, PRESENCE_POSTS, type Times } from '../protocol'
import type { Clock, Timers } from './clock'

/** How y-protocols repeats: 15 s, looked at every 3 s, and the network's share. */
const RENEWAL_MIN = 13_000
const RENEWAL_MAX = 20_000
/** How often silent peers are looked for. */
const SWEEP_MS = 5_000
/** After so long without an answer the room is asked once more who is there. */
const ASK_AGAIN_MS = 2_000

/** What is known of another client's presence. */
interface Peer {
  heard: number
  clock: number
  /** How often it repeated an unchanged state as y-protocols does: a plain client. */
  renewals: number
}

interface PresenceOptions {
  awareness: Awareness
  /** The origin of what is applied. */
  origin: object
  clock: Clock
  timers: Timers
  times: Times
  members: () => number
  /** False when there is no connection. */
  send: (message: MessageOf<'awareness'> | MessageOf<'queryAwareness'>) => boolean
  /** To the other tabs. */
  share: (update: Uint8Array) => void
}

export class Presence {
  readonly awareness: Awareness
  readonly origin: object
  readonly #o: PresenceOptions
  readonly #peers = new Map<number, Peer>()
  /** The connections of each client: one that renews has two for a moment. */
  readonly #connections = new Map<number, Set<string>>()
  #sent = ''
  #sentAt = -Infinity

  constructor (options: PresenceOptions) {
    this.#o = options
    this.awareness = options.awareness
    this.origin = options.origin
    options.awareness.on('update', this.#updated)
    this.#freeze(options.awareness.clientID)
  }

  destroy (): void {
    const { awareness } = this.#o
    awareness.off('update', this.#updated)
    // y-protocols may count again.
    for (const meta of awareness.meta.values()) meta.lastUpdated = Math.min(meta.lastUpdated, Date.now())
  }

  readonly #updated = ({ added, updated, removed }: { added: number[], updated: number[], removed: number[] }, origin: unknown): void => {
    const { awareness } = this.#o
    for (const client of [...added, ...updated]) this.#freeze(client)
    if (origin === this.#o.origin || ![added, updated, removed].some(list => list.includes(awareness.clientID))) return
    if (removed.includes(awareness.clientID)) this.#send()
    else this.#offer()
  }

  /** Keeps y-protocols from taking a state for outdated. */
  #freeze (client: number): void {
    const meta = this.#o.awareness.meta.get(client)
    if (meta !== undefined) meta.lastUpdated = Infinity
  }

  /** Sends a changed state, now or when the room's pace allows. */
  #offer (): void {
    const { awareness, clock, timers } = this.#o
    if (JSON.stringify(awareness.getLocalState()) === this.#sent || timers.has('presence')) return
    const wait = this.#sentAt + this.pace() - clock.now()
    if (wait <= 0) this.#send()
    else timers.set('presence', wait, () => { this.#send() })
  }

  /** Milliseconds between two messages in a room of this size. */
  pace (): number {
    const { members, times } = this.#o
    return Math.min(times.presenceMax, Math.max(times.presence, 1000 * members() ** 2 / PRESENCE_POSTS))
  }

  #send (): void {
    const { awareness, clock, share, timers } = this.#o
    timers.clear('presence')
    if (awareness.meta.get(awareness.clientID) === undefined) return
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID])
    share(update)
    if (!this.#post(update)) return
    this.#sent = JSON.stringify(awareness.getLocalState())
    this.#sentAt = clock.now()
  }

  #post (update: Uint8Array): boolean {
    return update.length + MAX_HEADER <= MAX_CLIENT_MESSAGE && this.#o.send({ type: 'awareness', update })
  }

  /** Sends the state under a new clock, so that it counts even where it was just removed. */
  announce (): void {
    const { awareness } = this.#o
    const state = awareness.getLocalState()
    if (state === null) return
    this.#sent = ''
    this.#sentAt = -Infinity
    awareness.setLocalState(state) // #updated sends it
  }

  /** Welcomed: shows the own state, and asks once more when nobody has answered the server's question. */
  joined (): void {
    const { members, send, timers } = this.#o
    this.announce()
    timers.set('presence-ask', ASK_AGAIN_MS, () => {
      if (this.#peers.size === 0 && members() > 1) send({ type: 'queryAwareness' })
    })
    timers.set('presence-renew', this.#o.times.keepAlive, this.#renew)
  }

  /** Now and then, for peers that lost a message; far too seldom to show on the bill. */
  readonly #renew = (): void => {
    this.announce()
    this.#o.timers.set('presence-renew', this.#o.times.keepAlive, this.#renew)
  }

  /** Says goodbye, so that the others need not wait for the server. */
  leave (): void {
    const { awareness, share } = this.#o
    if (!awareness.meta.has(awareness.clientID)) return
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID], new Map())
    this.#post(update)
    share(update)
    this.#sent = ''
  }

  /** Answers who asks with all that is known. */
  answer (): void {
    this.#answer([...this.#o.awareness.getStates().keys()])
  }

  #answer (clients: number[]): void {
    if (clients.length === 0) return
    const update = encodeAwarenessUpdate(this.#o.awareness, clients)
    if (this.#post(update) || clients.length === 1) return
    const half = clients.length >> 1 // too large for one message
    this.#answer(clients.slice(0, half))
    this.#answer(clients.slice(half))
  }

  /** The own state only, for other tabs. */
  own (): Uint8Array | null {
    const { awareness } = this.#o
    return awareness.getLocalState() === null ? null : encodeAwarenessUpdate(awareness, [awareness.clientID])
  }

  /** Takes what a peer sent. Damaged updates are dropped: the next one replaces them. */
  receive (update: Uint8Array): void {
    const { awareness, origin } = this.#o
    const seen = { before: new Map(awareness.states), clocks: new Map([...awareness.meta].map(([client, meta]) => [client, meta.clock])) }
    try {
      applyAwarenessUpdate(awareness, update, origin)
    } catch {
      return
    }
    for (const [client, meta] of awareness.meta) {
      if (seen.clocks.get(client) === meta.clock && seen.before.has(client) === awareness.states.has(client)) continue
      this.#freeze(client)
      if (client === awareness.clientID) this.announce() // somebody took this client for gone
      else this.#heard(client, meta.clock, JSON.stringify(seen.before.get(client)) === JSON.stringify(awareness.states.get(client)))
    }
    if (this.#peers.size > 0 && !this.#o.timers.has('presence-sweep')) this.#o.timers.set('presence-sweep', SWEEP_MS, this.#sweep)
  }

  #heard (client: number, clock: number, unchanged: boolean): void {
    const now = this.#o.clock.now()
    if (!this.#o.awareness.states.has(client)) {
      this.#peers.delete(client)
      return
    }
    const peer = this.#peers.get(client)
    const since = now - (peer?.heard ?? now)
    const renews = peer !== undefined && unchanged && clock === peer.clock + 1 && since >= RENEWAL_MIN && since <= RENEWAL_MAX
    this.#peers.set(client, { heard: now, clock, renewals: (peer?.renewals ?? 0) + (renews ? 1 : 0) })
  }

  /** Removes peers that went without a word. */
  readonly #sweep = (): void => {
    const { awareness, clock, origin, timers, times } = this.#o
    const gone: number[] = []
    for (const [client, peer] of this.#peers) {
      const age = clock.now() - peer.heard
      const known = this.#connections.has(client) // a Symphony client: it need not repeat itself
      if (age >= (peer.renewals >= 2 && !known ? times.presenceTimeout : times.presenceMaxAge)) gone.push(client)
    }
    for (const client of gone) this.#peers.delete(client)
    removeAwarenessStates(awareness, gone, origin)
    if (this.#peers.size > 0) timers.set('presence-sweep', SWEEP_MS, this.#sweep)
  }

  peerJoined ({ connection, client }: MessageOf<'peerJoined'>): void {
    const connections = this.#connections.get(client)
    if (connections === undefined) this.#connections.set(client, new Set([connection]))
    else connections.add(connection)
  }

  peerLeft ({ connection, client }: MessageOf<'peerLeft'>): void {
    const connections = this.#connections.get(client)
    connections?.delete(connection)
    if (connections?.size === 0) this.#connections.delete(client)
    this.left(client)
  }

  /** A client has no connection any more, unless it has renewed its own, or moved to or from another tab's. */
  left (client: number): void {
    if (this.#connections.has(client)) return
    if (client === this.#o.awareness.clientID) return this.announce()
    this.#peers.delete(client)
    removeAwarenessStates(this.#o.awareness, [client], this.#o.origin)
  }

  /** The connection is gone: nobody knows who is there. */
  forget (): void {
    const { awareness, origin, timers } = this.#o
    for (const name of ['presence', 'presence-ask', 'presence-renew', 'presence-sweep']) timers.clear(name)
    const others = [...awareness.getStates().keys()].filter(client => client !== awareness.clientID)
    removeAwarenessStates(awareness, others, origin)
    // What they were may come back under the same clock.
    for (const client of [...awareness.meta.keys()]) if (client !== awareness.clientID) awareness.meta.delete(client)
    this.#peers.clear()
    this.#connections.clear()
    this.#sent = ''
  }
}
