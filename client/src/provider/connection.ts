/**
 * Keeps a connection to one room alive: dials, says hello, comes back after
 * failures, and replaces a connection before the gateway ends it.
 */

import { type GatewayError, type Message, type MessageOf, type Times, VERSION, MAX_CLIENT_MESSAGE } from '../protocol'
import { type Clock, Timers } from './clock'
import { Link, type SocketLike } from './link'
import { Outbox } from './outbox'
import { Receiver } from './receiver'
import { Sender } from './sender'
import { Sequence } from './sequence'
import { expiry } from './token'
import type { Fetch } from './transfer'

/** After a sleep the socket is often dead, and somebody is looking: an answer may not take so long as else. */
const WAKE_MS = 5_000

export type Status = 'connected' | 'connecting' | 'disconnected'

/** An update or message that the server will not take, or a defect. */
export interface Problem {
  /** A code of docs/PROTOCOL.md, "Errors"; 0 for what was noticed on this side. */
  code: number
  text: string
  /** The local update that was dropped because of it. */
  update?: Uint8Array
}

/** What a connection needs of the provider. */
export interface Host {
  /** The document's encoded state vector. */
  stateVector (): Uint8Array
  /** Integrates updates as one transaction. Throws when they are damaged. */
  apply (updates: Uint8Array[]): void
  /** What a server with that vector lacks, null when all of it is in `known`. */
  missing (stateVector: Uint8Array, known: Uint8Array[]): Uint8Array | null
  /** False when what the server has must be compared, not only continued. */
  resumes (): boolean
  /** These local updates are durable, or were refused for good. */
  settled (keys: string[]): void
  /** The number up to which everything is in the document has moved. */
  moved (epoch: string, last: number): void
  status (status: Status): void
  synced (synced: boolean): void
  unacknowledged (any: boolean): void
  lost (what: 'lost' | 'restored' | 'failed'): void
  /** No attempt will follow. */
  refused (code: number, reason: string): void
  welcome (message: MessageOf<'welcome'>, resumed: boolean): void
  /** Presence, peers and notices. */
  other (message: Message): void
  /** Every accepted number, for other tabs and for tests. */
  arrived (seq: number, update: Uint8Array | null): void
  acknowledged (id: number, seq: number, update: Uint8Array): void
  problem (problem: Problem): void
  closed (event: CloseEvent | null): void
  failed (event: Event | Error): void
  /** The connection that replaced another is alone now. */
  renewed (): void
}

/** What a connection is made with. */
export interface ConnectionOptions {
  host: Host
  /** Asks for a token, '' for none. */
  token: () => Promise<string>
  /** Opens a socket with it. */
  open: (token: string) => SocketLike
  /** The document's Yjs client id. */
  client: number
  times: Times
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  fetch: Fetch
}

export class Connection {
  readonly options: ConnectionOptions
  readonly timers: Timers
  readonly outbox = new Outbox()
  readonly sender: Sender
  readonly receiver: Receiver
  sequence = new Sequence()
  epoch = ''
  /** Of the last welcome. */
  access: 'write' | 'read' = 'write'
  id = ''
  members = 0
  /** The link in use; its successor until it is welcome; its predecessor for the answers under way. */
  link: Link | null = null
  next: Link | null = null
  old: Link | null = null
  /** Whether the app wants to be connected. */
  wanted = false
  /** Takes the server's messages in place of the receiver. */
  tap: ((link: Link, message: Message) => void) | null = null
  #status: Status = 'disconnected'
  #synced = false
  #lost = false
  #attempts = 0
  #dialling = 0
  #dials = 0
  #expires: number | null = null

  constructor (options: ConnectionOptions) {
    this.options = options
    this.timers = new Timers(options.clock)
    this.sender = new Sender(this)
    this.receiver = new Receiver(this)
  }

  get status (): Status { return this.#status }
  get synced (): boolean { return this.#synced }

  /** The link on which messages may be sent now. */
  get ready (): Link | null {
    return this.link?.ready === true ? this.link : null
  }

  /** Connects, and reconnects until disconnect is called. */
  connect (): void {
    if (this.wanted) return
    this.wanted = true
    this.#attempts = 0
    this.#dial()
  }

  /** Ends every link; what is in the outbox stays there. */
  disconnect (): void {
    if (!this.wanted && this.link === null) return
    this.wanted = false
    this.sender.flush()
    this.#stop()
    const had = this.link !== null
    for (const link of this.links()) link.discard()
    this.link = this.next = this.old = null
    if (had) this.options.host.closed(null)
    this.#gone()
    this.#lost = false
  }

  /** Ends for good: the server said that trying again is pointless. */
  fail (problem: Problem): void {
    this.options.host.problem(problem)
    const lost = this.wanted
    this.disconnect()
    if (lost) {
      this.options.host.lost('failed')
      this.options.host.refused(problem.code, problem.text)
    }
  }

  links (): Link[] {
    return [this.link, this.next, this.old].filter(link => link !== null)
  }

  /** The network is back or the page is visible: no more waiting, and is the socket alive? */
  wake (): void {
    if (!this.wanted) return
    if (this.link === null) {
      this.#attempts = 0
      if (this.timers.has('reconnect')) this.#dial()
    } else if (this.ready !== null) {
      this.sender.probe(WAKE_MS)
    }
  }

  /** Opens a successor now: a new token, or one that is about to expire. */
  renew (): void {
    if (this.link !== null && this.next === null) this.#dial()
  }

  #stop (): void {
    this.#dialling = 0
    this.timers.clearAll()
    this.receiver.stop()
  }

  #dial (): void {
    this.timers.clear('reconnect')
    this.timers.clear('renew')
    if (this.#dialling !== 0) return
    const dial = this.#dialling = ++this.#dials
    if (this.link === null) this.#setStatus('connecting')
    this.timers.set('hello', this.options.times.ackTimeout, () => { this.#dialFailed(dial, new Error('no token in time')) })
    this.options.token().then(token => {
      if (this.#dialling !== dial) return
      this.#dialling = 0
      this.#adopt(token)
    }).catch((error: unknown) => { this.#dialFailed(dial, error as Error) })
  }

  #dialFailed (dial: number, error: Error): void {
    if (this.#dialling !== dial) return
    this.#dialling = 0
    this.options.host.failed(error)
    this.#again()
  }

  /** Plans the next attempt, for a first link or for a successor. */
  #again (): void {
    this.timers.clear('hello')
    if (!this.wanted) return
    const { backoffBase, backoffMax } = this.options.times
    const wait = this.options.random() * Math.min(backoffMax, backoffBase * 2 ** Math.min(this.#attempts++, 30))
    this.timers.set(this.link === null ? 'reconnect' : 'renew', wait, () => { this.#dial() })
  }

  #adopt (token: string): void {
    const { clock } = this.options
    this.#expires = expiry(token)
    const socket = this.options.open(token)
    const link = new Link(socket, clock.now(), {
      opened: link => { this.#opened(link) },
      message: (link, message) => { if (this.tap === null) this.receiver.receive(link, message); else this.tap(link, message) },
      gatewayError: (link, error) => { this.#gatewayError(link, error) },
      closed: (link, event) => { this.#down(link, event) },
      failed: (_, event) => { this.options.host.failed(event) }
    })
    if (this.link === null) this.link = link
    else this.next = link
    this.expect(link)
  }

  /** Gives the link up when nothing more of its beginning comes for so long as an answer may take; a download has a limit of its own. */
  expect (link: Link): void {
    this.timers.set('hello', this.options.times.ackTimeout, () => { if (link.snapshots > 0) this.expect(link); else link.abandon() })
  }

  #opened (link: Link): void {
    if (link === this.link) this.#setStatus('connected')
    this.hello(link)
  }

  hello (link: Link): void {
    if (link.over || link.ready) return
    const stateVector = this.options.host.stateVector()
    link.hellos++
    const resume = this.options.host.resumes()
    link.after = resume ? this.sequence.last : 0
    link.send({
      type: 'hello', version: VERSION, client: this.options.client, epoch: resume ? this.epoch : '', after: link.after,
      stateVector: stateVector.length + 256 > MAX_CLIENT_MESSAGE ? new Uint8Array() : stateVector // then everything comes
    })
    this.expect(link)
  }

  /** Puts a welcomed link in use. */
  promote (link: Link): void {
    link.ready = true
    this.timers.clear('hello')
    if (link === this.next) {
      this.old?.discard()
      this.old = this.link
      this.link = link
      this.next = null
      this.timers.set('retire', this.options.times.retire, () => {
        this.old?.discard()
        this.old = null
        this.options.host.renewed()
      })
    }
    this.#planRenewal(link)
    this.sender.planKeepAlive()
    this.timers.clear('lost')
    if (this.#lost) {
      this.#lost = false
      this.options.host.lost('restored')
    }
  }

  #planRenewal (link: Link): void {
    const { clock, random, times } = this.options
    const age = times.lifetime - times.renewBefore - random() * times.renewJitter
    let at = link.since + (age > 0 ? age : times.lifetime / 2) // half of a lifetime shortened for a test
    if (this.#expires !== null) {
      const left = this.#expires - clock.now()
      at = Math.min(at, clock.now() + Math.max(left / 2, left - times.tokenMargin, times.backoffBase))
    }
    this.timers.set('renew', at - clock.now(), () => { this.renew() })
  }

  #gatewayError (link: Link, error: GatewayError): void {
    this.sender.alive()
    this.sender.resendSoon()
    if (!link.ready) this.helloAgain(link, 1000)
    this.options.host.problem({ code: error.throttled ? 11 : 8, text: error.message })
  }

  /** Says hello again on the same link after `ms`, doubled each time and up to half as long again. */
  helloAgain (link: Link, ms: number): void {
    this.timers.set('hello', this.sender.growing(ms, link.hellos), () => { this.hello(link) })
  }

  #down (link: Link, event: CloseEvent | null): void {
    if (link === this.old) {
      this.old = null
    } else if (link === this.next) {
      this.next = null
      this.#again()
    } else if (link === this.link) {
      this.#lostLink(link, event)
    }
  }

  #lostLink (link: Link, event: CloseEvent | null): void {
    const { clock, host, times } = this.options
    this.link = this.next
    this.next = null
    for (const name of ['gap', 'probe', 'alive', 'resend']) this.timers.clear(name)
    this.receiver.stop()
    host.closed(event)
    if (this.link === null) this.#gone()
    else this.#setSynced(false)
    if (!this.wanted) return
    if (!this.#lost && !this.timers.has('lost')) {
      this.timers.set('lost', times.lost, () => {
        this.#lost = true
        host.lost('lost')
      })
    }
    if (this.link !== null) { // a successor was on its way
      this.#setStatus(this.link.open ? 'connected' : 'connecting')
      return
    }
    if (clock.now() - link.since >= times.backoffMax) this.#attempts = 0
    this.timers.clear('renew')
    if (this.#dialling === 0) this.#again()
    else this.#setStatus('connecting')
  }

  /** No link is left. As y-websocket has it, a failed attempt is no event of its own. */
  #gone (): void {
    const was = this.#status
    this.#status = 'disconnected'
    this.#setSynced(false)
    if (was === 'connected') this.options.host.status('disconnected')
  }

  #setStatus (status: Status): void {
    if (this.#status === status) return
    this.#status = status
    this.options.host.status(status)
  }

  /** Everything that is known of has arrived, or not any more. */
  #setSynced (synced: boolean): void {
    if (this.#synced === synced) return
    this.#synced = synced
    this.options.host.synced(synced)
  }

  /** Looks whether the document is complete. It stays synced while a gap is filled. */
  checkSynced (): void {
    if (this.ready !== null) this.#setSynced(true)
  }
}
