/** A follower's socket: a WebSocket to the eye of a Link, and really the leader tab's connection. */

import { fromBase64 } from '../../protocol'
import type { Clock } from '../clock'
import type { SocketLike } from '../link'
import { randomId, type Word } from './wire'

/** A leader that says nothing for so long is frozen or busy beyond use. */
const PATIENCE_MS = 3_000
/** How often a follower looks whether the leader is awake while nothing else is said. */
const PING_MS = 5_000
/** A timer that comes so much too late says that this tab slept, not the leader. */
const LATE_MS = 1_000

interface TabSocketOptions {
  tab: string
  clock: Clock
  post: (word: Word) => void
  /** The leader does not answer. */
  frozen: () => void
  /** It is closed, from either side. */
  closed: (socket: TabSocket) => void
}

export class TabSocket implements SocketLike {
  readyState = 0
  onopen: ((event: any) => void) | null = null
  onmessage: ((event: any) => void) | null = null
  onerror: ((event: any) => void) | null = null
  onclose: ((event: any) => void) | null = null
  readonly id = randomId()
  readonly #o: TabSocketOptions
  #ping: unknown
  #deadline: unknown = null

  constructor (options: TabSocketOptions) {
    this.#o = options
    options.post({ what: 'open', tab: options.tab, socket: this.id, visible: globalThis.document?.visibilityState !== 'hidden' })
    this.#expect()
    this.#planPing()
  }

  send (frame: string): void {
    this.#o.post({ what: 'send', socket: this.id, bytes: fromBase64(frame) as Uint8Array<ArrayBuffer> })
    this.#ask()
  }

  close (): void {
    if (this.readyState === 3) return
    this.#o.post({ what: 'close', socket: this.id })
    this.#end()
  }

  /** A word of the leader, for this socket or for all. */
  heard (word: Word): void {
    if (this.readyState === 3) return
    if (this.#deadline !== this) {
      this.#o.clock.clearTimeout(this.#deadline)
      this.#deadline = null
    }
    if (word.what === 'opened' && this.readyState === 0) {
      this.readyState = 1
      this.onopen?.({})
    } else if (word.what === 'message' && this.readyState === 1) {
      this.onmessage?.({ data: word.bytes })
    }
  }

  /** The connection is gone. */
  fail (): void {
    if (this.readyState === 3) return
    this.#end()
    this.onclose?.({ code: 1006, reason: '', wasClean: false })
  }

  /** Its leader is gone: asks no more whether it is awake. */
  rest (): void {
    this.#o.clock.clearTimeout(this.#ping)
    this.#o.clock.clearTimeout(this.#deadline)
    this.#deadline = this // never again
  }

  #end (): void {
    this.readyState = 3
    this.rest()
    this.#o.closed(this)
  }

  #planPing (): void {
    this.#ping = this.#o.clock.setTimeout(() => {
      this.#ask()
      this.#planPing()
    }, PING_MS)
  }

  #ask (): void {
    if (this.#deadline !== null) return
    this.#o.post({ what: 'ping', socket: this.id })
    this.#expect()
  }

  #expect (): void {
    const { clock, frozen } = this.#o
    const due = clock.now() + PATIENCE_MS
    this.#deadline = clock.setTimeout(() => {
      this.#deadline = null
      if (clock.now() > due + LATE_MS) this.#ask()
      else frozen()
    }, PATIENCE_MS)
  }
}
