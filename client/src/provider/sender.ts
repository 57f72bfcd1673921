/** What a connection sends: the outbox, probes and range requests, each until it is answered. */

import { ErrorCode, type MessageOf } from '../protocol'
import type { Connection } from './connection'
import { type Entry, messageOf } from './outbox'
import { READ_ONLY } from './receiver'
import { put, sha256 } from './transfer'

/** The wait after an error of the gateway, which names none, and after a failed upload. */
const RETRY_MS = 1000

export class Sender {
  readonly #connection: Connection
  /** Uploads under way. */
  #abort = new AbortController()
  #unacknowledged = false

  constructor (connection: Connection) {
    this.#connection = connection
  }

  /** Takes a local update; `keys` name its copy in the offline store. */
  submit (update: Uint8Array, keys: string[] = []): void {
    const { outbox, timers, options } = this.#connection
    if (this.#connection.access === 'read' && this.#connection.ready !== null) {
      options.host.settled(keys)
      options.host.problem({ code: ErrorCode.readOnly, text: READ_ONLY, update })
      return
    }
    outbox.add(update, keys)
    this.changed()
    if (!timers.has('merge')) timers.set('merge', options.times.merge, () => { this.flush() })
  }

  /** Sends what waits, unless there is no connection. */
  flush (): void {
    const { outbox, timers, ready } = this.#connection
    timers.clear('merge')
    if (ready === null) return
    const entries = outbox.pack()
    for (const entry of entries) this.#send(entry)
    if (entries.length > 0) this.active()
  }

  /** After a welcome: sends everything that is not acknowledged again. */
  resend (): void {
    for (const entry of this.#connection.outbox.entries) this.#send(entry)
    this.flush()
  }

  #send (entry: Entry): void {
    const { ready, options: { clock, times } } = this.#connection
    if (ready === null) return
    entry.resendAt = clock.now() + times.ackTimeout
    this.#planResend()
    if (entry.large && entry.sha256 === undefined) {
      this.#hash(entry)
      return
    }
    const message = messageOf(entry)
    if (message !== null && ready.send(message)) entry.tries++
  }

  #planResend (): void {
    const { outbox, timers, options: { clock } } = this.#connection
    const next = outbox.next()
    if (next === Infinity) timers.clear('resend')
    else timers.set('resend', next - clock.now(), () => { this.#resendDue() })
  }

  #resendDue (): void {
    const { outbox, options: { clock } } = this.#connection
    const now = clock.now()
    for (const entry of [...outbox.entries]) if (entry.resendAt <= now) this.#send(entry)
    this.#planResend()
  }

  /** Something of ours reached no function, nobody knows what: all unanswered goes again soon. */
  resendSoon (): void {
    const { outbox, options: { clock } } = this.#connection
    for (const entry of outbox.entries) {
      if (entry.tries > 0) entry.resendAt = Math.min(entry.resendAt, clock.now() + this.growing(RETRY_MS, entry.tries))
    }
    this.#planResend()
    if (this.#connection.timers.has('gap')) this.watchGap(this.growing(RETRY_MS, 1), true)
  }

  /** The server asks for another attempt after `retry` ms. */
  retry (entry: Entry, retry: number): void {
    delete entry.upload // an upload starts over
    entry.resendAt = this.#connection.options.clock.now() + this.growing(retry, entry.tries)
    this.#planResend()
  }

  /** At least `ms` and up to half as long again, doubled with each try, up to the time an answer may take. */
  growing (ms: number, tries: number): number {
    const { random, times } = this.#connection.options
    const wait = Math.max(ms, Math.min(ms * 2 ** Math.min(Math.max(tries - 1, 0), 10), times.ackTimeout))
    return wait * (1 + random() / 2)
  }

  /** An entry is acknowledged or refused. */
  settle (id: number): Entry | undefined {
    const { outbox, options } = this.#connection
    const entry = outbox.remove(id)
    if (entry !== undefined) {
      options.host.settled(entry.parts.flatMap(part => part.keys))
      this.#planResend()
      this.changed()
    }
    return entry
  }

  /** Tells the host when the first update waits, or none any more. */
  changed (): void {
    const any = this.#connection.outbox.size > 0
    if (any === this.#unacknowledged) return
    this.#unacknowledged = any
    this.#connection.options.host.unacknowledged(any)
  }

  // Large updates.

  #hash (entry: Entry): void {
    if (entry.busy) return
    entry.busy = true
    sha256(entry.update).then(hash => {
      entry.busy = false
      entry.sha256 = hash
      if (this.#connection.outbox.find(entry.id) === entry) this.#send(entry)
    }).catch((error: unknown) => {
      entry.busy = false
      this.#connection.options.host.problem({ code: 0, text: `hashing an upload: ${String(error)}` })
    })
  }

  /** Puts the bytes where the offer says, then commits. */
  offered (offer: MessageOf<'uploadOffer'>): void {
    const { outbox, options } = this.#connection
    const entry = outbox.find(offer.id)
    if (entry === undefined || !entry.large || entry.busy || entry.upload !== undefined) return
    entry.busy = true
    entry.resendAt = Infinity
    const { signal } = this.#abort
    // Its own clock: an upload goes on while connections come and go.
    const limit = options.clock.setTimeout(() => { this.#abortUploads() }, options.times.transfer)
    put(options.fetch, offer, entry.update, signal).then(() => {
      entry.busy = false
      entry.upload = offer.upload
      if (outbox.find(entry.id) === entry) this.#send(entry)
    }).catch(() => {
      entry.busy = false
      entry.resendAt = options.clock.now() + this.growing(RETRY_MS, entry.tries)
      if (!signal.aborted || this.#connection.wanted) this.#planResend()
    }).finally(() => { options.clock.clearTimeout(limit) })
  }

  #abortUploads (): void {
    this.#abort.abort()
    this.#abort = new AbortController()
  }

  /** Nothing more is sent: the provider is destroyed. */
  destroy (): void {
    this.#abortUploads()
  }

  // Gaps, probes, keep-alive.

  /** Watches a gap, or forgets it. `patience` 0: it has waited long enough; `again`: also when it waits already. */
  watchGap (patience = this.#connection.options.times.gapPatience, again = patience === 0): void {
    const { sequence, timers, receiver, ready } = this.#connection
    if (ready === null || sequence.gap() === null || receiver.fetching) timers.clear('gap')
    else if (again || !timers.has('gap')) timers.set('gap', patience, () => { this.requestGap() })
  }

  requestGap (): void {
    const { sequence, timers, ready, options: { times } } = this.#connection
    const gap = sequence.gap()
    if (gap === null || ready === null) return
    ready.send({ type: 'rangeRequest', ...gap })
    timers.set('gap', times.ackTimeout, () => { this.requestGap() }) // if no answer comes
  }

  /** An update came or went: one probe once it is quiet. */
  active (): void {
    const { timers, options: { times, random } } = this.#connection
    // Not all members of a room at once.
    timers.set('probe', times.probeQuiet * (1 + random() / 2), () => { this.probe() })
  }

  planKeepAlive (): void {
    const { timers, options: { times } } = this.#connection
    timers.set('probe', times.keepAlive, () => { this.probe() })
  }

  /** Asks what the room's last number is. No answer at all: the connection is dead. */
  probe (patience = this.#connection.options.times.ackTimeout): void {
    const { timers, ready, sequence } = this.#connection
    this.planKeepAlive()
    if (ready === null) return
    ready.probed = sequence.last
    ready.send({ type: 'probe', seq: sequence.last })
    if (!timers.has('alive')) timers.set('alive', patience, () => { ready.abandon() })
  }

  /** Something was heard. */
  alive (): void {
    this.#connection.timers.clear('alive')
  }
}
