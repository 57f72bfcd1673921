/** What a connection does with the server's messages. */

import { ErrorCode, type Message, type MessageOf } from '../protocol'
import type { Connection } from './connection'
import type { Link } from './link'
import { Sequence } from './sequence'
import { get } from './transfer'
import { isEmptyUpdate } from './updates'

export const READ_ONLY = 'the room is read-only for this user'

export class Receiver {
  readonly #connection: Connection
  /** Downloads under way: their numbers are on the way, not missing. */
  #fetches = 0
  #abort = new AbortController()

  constructor (connection: Connection) {
    this.#connection = connection
  }

  get fetching (): boolean {
    return this.#fetches > 0
  }

  /** Forgets what is under way on a link that is gone. */
  stop (): void {
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#fetches = 0
  }

  receive (link: Link, message: Message): void {
    if (link === this.#connection.link) this.#connection.sender.alive()
    if (link.snapshots > 0 && (message.type === 'welcome' || isNumbered(message))) {
      link.held.push(message)
    } else if (!link.ready && isNumbered(message)) {
      if (!link.keep(message)) link.abandon()
    } else {
      this.#dispatch(link, message)
    }
  }

  #dispatch (link: Link, message: Message): void {
    const { host } = this.#connection.options
    switch (message.type) {
      case 'welcome': return this.#welcome(link, message)
      case 'broadcast': return this.#numbered(link, message.seq, message.update)
      case 'ack': return this.#ack(message)
      case 'range': return this.#range(link, message)
      case 'tail': return this.#tail(link, message)
      case 'error': return this.#error(link, message)
      case 'uploadOffer': return this.#connection.sender.offered(message)
      case 'broadcastByUrl': return this.#broadcastByUrl(link, message)
      case 'snapshotByUrl': return this.#snapshotByUrl(link, message)
      case 'syncStep2':
      case 'syncUpdate':
        if (link.ready) this.#apply(link, [message.update]) // before the welcome it is in the catch-up
        return
      case 'auth':
        return this.#connection.fail({ code: ErrorCode.denied, text: message.reason })
      default:
        host.other(message)
    }
  }

  /** Hands updates to the document. False: they are damaged, and the connection has ended. */
  #apply (link: Link, updates: Uint8Array[]): boolean {
    const news = updates.filter(update => !isEmptyUpdate(update))
    if (news.length === 0) return true
    try {
      this.#connection.options.host.apply(news)
      return true
    } catch (error) {
      link.discard()
      this.#connection.fail({ code: 0, text: `the room's data cannot be read: ${String(error)}` })
      return false
    }
  }

  #welcome (link: Link, message: MessageOf<'welcome'>): void {
    const connection = this.#connection
    const { host } = connection.options
    if (link.ready || (link !== connection.link && link !== connection.next)) return
    if (link.lacks) { // hello said again is answered in pieces
      link.lacks = false
      return connection.hello(link)
    }
    const resumed = message.stateVector.length === 0
    const catchUp = [...link.pieces, message.update]
    link.pieces = []
    if (!this.#apply(link, catchUp)) return
    if (message.epoch !== connection.epoch || (!resumed && message.through < link.after)) {
      connection.epoch = message.epoch
      connection.sequence = new Sequence() // numbers of another life, or never given out
    }
    connection.sequence.advance(message.through)
    connection.access = message.access === 'read' ? 'read' : 'write'
    connection.id = message.connection
    connection.members = message.members
    const replaced = link === connection.next
    connection.promote(link)
    const early = link.early.splice(0)
    for (const one of early) this.#dispatch(link, one)
    if (link.over) return
    this.#moved()
    if (connection.access === 'read') this.#refuseAll()
    else {
      if (!resumed) this.#submitMissing(message, catchUp)
      if (replaced) connection.sender.flush()
      else connection.sender.resend() // what was under way may be lost
    }
    connection.sender.watchGap()
    host.welcome(message, replaced)
    connection.checkSynced()
  }

  /** What the server lacks: edits that no outbox knows, made before there was a provider. */
  #submitMissing (message: MessageOf<'welcome'>, catchUp: Uint8Array[]): void {
    const { options: { host }, outbox, sender } = this.#connection
    const missing = host.missing(message.stateVector, [...catchUp, ...outbox.updates()])
    if (missing !== null) sender.submit(missing)
  }

  #refuseAll (): void {
    const { options: { host }, outbox, sender } = this.#connection
    for (const part of outbox.clear()) {
      host.settled(part.keys)
      host.problem({ code: ErrorCode.readOnly, text: READ_ONLY, update: part.update })
    }
    sender.changed()
  }

  /** An update with its own number. */
  #numbered (link: Link, seq: number, update: Uint8Array): void {
    const connection = this.#connection
    if (connection.sequence.has(seq)) return
    if (!this.#apply(link, [update])) return
    connection.options.host.arrived(seq, update)
    this.#mark(seq)
  }

  #mark (seq: number): void {
    this.#connection.sequence.mark(seq)
    this.#moved()
    this.#connection.sender.watchGap()
    this.#connection.sender.active()
  }

  #moved (): void {
    const { epoch, sequence, options } = this.#connection
    options.host.moved(epoch, sequence.last)
  }

  #ack ({ id, seq }: MessageOf<'ack'>): void {
    const { sender, options } = this.#connection
    const entry = sender.settle(id)
    if (entry !== undefined) options.host.acknowledged(id, seq, entry.update)
    this.#mark(seq)
  }

  /** Pieces count, and are shown, only together with the last one. */
  #range (link: Link, message: MessageOf<'range'>): void {
    const { sequence, sender, timers, options } = this.#connection
    if (link.ready && message.through <= sequence.last) { // others overtook it
      if (!message.more) link.pieces = []
      return
    }
    link.pieces.push(message.update)
    if (message.more) { // over a slow line all of them may take minutes
      if (link.ready) sender.watchGap(options.times.ackTimeout, true)
      else this.#connection.expect(link)
      return
    }
    const updates = link.pieces
    link.pieces = []
    if (!this.#apply(link, updates)) return
    options.host.arrived(message.through, null)
    if (message.after <= sequence.last) {
      timers.clear('gap')
      sequence.advance(message.through)
      sender.watchGap(0) // a further gap has waited long enough
    } else {
      for (let n = message.after + 1; n <= message.through && sequence.gap()?.through !== 0; n++) sequence.mark(n)
      sender.watchGap()
    }
    this.#moved()
    sender.active()
  }

  #tail (link: Link, { seq }: MessageOf<'tail'>): void {
    const { sequence, sender } = this.#connection
    if (seq < link.probed) return link.abandon() // another room under this id
    sequence.expect(seq)
    sender.watchGap(0)
  }

  #broadcastByUrl (link: Link, message: MessageOf<'broadcastByUrl'>): void {
    if (this.#connection.sequence.has(message.seq)) return
    this.#fetch(link, message, update => { this.#numbered(link, message.seq, update!) })
  }

  /** Belongs to the welcome or range that follows, which waits for it. */
  #snapshotByUrl (link: Link, message: MessageOf<'snapshotByUrl'>): void {
    link.snapshots++
    this.#fetch(link, message, update => {
      if (update) link.pieces.push(update)
      else link.lacks = true
      if (--link.snapshots > 0) return
      for (const held of link.held.splice(0)) if (!link.over) this.receive(link, held)
    })
  }

  /**
   * A download that fails leaves a gap: the next connection resumes before it.
   * Before the welcome `use` is told, with nothing.
   */
  #fetch (link: Link, from: { url: string, size: number, sha256: Uint8Array }, use: (bytes?: Uint8Array) => void): void {
    const { options: { host, fetch, clock, times }, sender, timers } = this.#connection
    const abort = this.#abort
    this.#fetches++
    timers.clear('gap')
    const limit = clock.setTimeout(() => { link.abandon() }, times.transfer)
    get(fetch, from, abort.signal).catch((error: unknown) => error as Error).then(got => {
      clock.clearTimeout(limit)
      if (abort.signal.aborted) return
      this.#fetches--
      if (got instanceof Uint8Array) use(got)
      else {
        host.failed(got)
        if (link.ready) link.abandon()
        else use()
      }
      sender.watchGap()
    })
  }

  /** docs/PROTOCOL.md, "Errors". */
  #error (link: Link, { code, id, retry, text }: MessageOf<'error'>): void {
    const connection = this.#connection
    const { sender, outbox, timers, options: { host } } = connection
    if (code === ErrorCode.denied || code === ErrorCode.roomId) return connection.fail({ code, text })
    const entry = id === 0 ? undefined : outbox.find(id)
    if (code === ErrorCode.unknownConnection) return link.abandon() // the next one is known, and drops nothing
    if (code === ErrorCode.readOnly) {
      connection.access = 'read'
      return this.#refuseAll()
    }
    if (entry !== undefined) {
      if (retry > 0) sender.retry(entry, retry)
      else if (code === ErrorCode.unsupported && entry.large && outbox.split(entry)) sender.flush()
      else {
        sender.settle(id)
        host.problem({ code, text, update: entry.update })
      }
      return
    }
    if (id !== 0) return
    host.problem({ code, text })
    if (link.ready) {
      if (retry > 0 && timers.has('gap')) sender.watchGap(sender.growing(retry, 1), true)
    } else if (retry > 0) {
      connection.helloAgain(link, retry)
    } else if (code === ErrorCode.unsupported || code === ErrorCode.malformed) {
      connection.fail({ code, text })
    } else {
      link.abandon()
    }
  }
}

/** True for what cannot be judged before the welcome tells the epoch. */
function isNumbered (message: Message): boolean {
  return message.type === 'broadcast' || message.type === 'broadcastByUrl' || message.type === 'ack' ||
    (message.type === 'range' && !message.more)
}
