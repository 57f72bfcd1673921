// The connection: one document, one provider, and whether what was drawn is safe.

import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebsocketProvider } from 'y-websocket'
import { removeAwarenessStates, type Awareness } from 'y-protocols/awareness'
import { writeSyncStep1 } from 'y-protocols/sync'
import { symphonySocket, type Problem } from './symphony-socket.js'
import type { Address } from './address'

/**
 * `connecting` the first time, or loading; `live` and everything stored; `saving`:
 * not all is known to be stored; `offline` and trying again; `reading`: the server
 * said that this user may not write.
 */
export type Status = 'connecting' | 'live' | 'saving' | 'offline' | 'reading'

/** After the last edit, the pause before asking the server what it has. */
const CONFIRM_AFTER_MS = 1_000
/**
 * The gateway promises no order. Yjs keeps what came too early, but does not always
 * notice that it fits by now; what is still waiting after this pause is asked for.
 */
const UNTANGLE_AFTER_MS = 2_000
/** Twice as long each time, up to this: what is missing may be nowhere. */
const UNTANGLE_AT_MOST_MS = 60_000
/** Asked again when there is no answer, or when something is still missing. */
const CONFIRM_AGAIN_MS = 3_000

const MESSAGE_SYNC = 0
const MESSAGE_AUTH = 2
const SYNC_STEP_1 = 0

export class Session {
  readonly doc = new Y.Doc()
  readonly provider: WebsocketProvider
  /** Whether the room's content has arrived once. */
  loaded = false
  private readonly listeners = new Set<(status: Status) => void>()
  private failed = false
  private reading = false
  private unsaved = false
  /** Whether a question is on its way that was asked after the last edit. */
  private asked = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private untangling: ReturnType<typeof setTimeout> | undefined
  private untangleAfter = UNTANGLE_AFTER_MS

  constructor (address: Address, private readonly onProblem: (problem: Problem) => void) {
    this.provider = new WebsocketProvider(address.server, encodeURIComponent(address.room), this.doc, {
      WebSocketPolyfill: symphonySocket(Y, { onProblem: problem => this.onProblem(problem) }),
      params: address.token === null ? {} : { token: address.token },
      // Two tabs speak through the server like two people: then what one sees
      // of the other has been stored.
      disableBc: true
    })
    this.doc.on('update', (_update: Uint8Array, origin: unknown) => { if (origin !== this.provider) this.edited() })
    this.provider.on('status', ({ status }) => this.connection(status))
    this.provider.on('sync', (synced: boolean) => this.synced(synced))
    this.watch(MESSAGE_SYNC, decoder => this.seen(decoder))
    this.watch(MESSAGE_AUTH, () => { this.reading = true; this.tell() })
  }

  get awareness (): Awareness { return this.provider.awareness }

  get status (): Status {
    if (this.provider.synced) return this.reading ? 'reading' : this.unsaved ? 'saving' : 'live'
    return this.failed && !this.provider.wsconnected ? 'offline' : 'connecting'
  }

  /** Calls back now and whenever the status may have changed. */
  onStatus (listener: (status: Status) => void): void {
    this.listeners.add(listener)
    listener(this.status)
  }

  /** Whether closing the page now could lose something. */
  get atRisk (): boolean { return this.unsaved && !this.reading && !this.provider.synced }

  /** Tells the others at once, instead of letting them wait 30 s for our silence. */
  leave (): void {
    removeAwarenessStates(this.awareness, [this.doc.clientID], 'left')
    this.provider.disconnect()
  }

  /** After `leave`, when the browser brings the page back from its cache. */
  rejoin (state: Record<string, unknown>): void {
    this.awareness.setLocalState(state)
    this.provider.connect()
  }

  private connection (status: 'connected' | 'connecting' | 'disconnected'): void {
    if (status === 'disconnected') {
      this.failed = true
      this.asked = false
      clearTimeout(this.timer)
      this.forgetOthers()
    }
    if (status === 'connecting' && this.provider.wsUnsuccessfulReconnects > 0) this.failed = true
    this.tell()
  }

  /**
   * The provider removes the others' presence when the connection breaks but
   * remembers their clocks, so on return it would ignore the same state: they
   * would be missing until they move or renew it.
   */
  private forgetOthers (): void {
    for (const client of this.awareness.meta.keys()) {
      if (client !== this.doc.clientID && !this.awareness.states.has(client)) this.awareness.meta.delete(client)
    }
  }

  private synced (synced: boolean): void {
    if (synced) {
      this.loaded = true
      this.failed = false
      if (this.unsaved) this.confirmIn(CONFIRM_AFTER_MS)
    }
    this.tell()
  }

  private edited (): void {
    this.unsaved = true
    this.asked = false
    this.confirmIn(CONFIRM_AFTER_MS)
    this.tell()
  }

  private confirmIn (ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.ask(), ms)
  }

  /**
   * Plain y-protocols has no acknowledgement, but every sync step 1 is answered by
   * the server's own, whose state vector says what is stored. It also brings
   * whatever was lost on its way, in either direction.
   */
  private ask (): void {
    const ws = this.provider.ws
    if (!this.provider.synced || ws === null || ws.readyState !== ws.OPEN) return
    this.asked = true
    ws.send(encoding.encode(encoder => {
      encoding.writeVarUint(encoder, MESSAGE_SYNC)
      writeSyncStep1(encoder, this.doc)
    }))
    this.confirmIn(CONFIRM_AGAIN_MS)
  }

  private seen (decoder: decoding.Decoder): void {
    if (decoding.readVarUint(decoder) !== SYNC_STEP_1) this.untangle()
    else if (this.asked) this.confirm(decoding.readVarUint8Array(decoder))
  }

  /** Looks, some time after a message, whether Yjs still waits for something. */
  private untangle (): void {
    this.untangling ??= setTimeout(() => {
      this.untangling = undefined
      const { pendingStructs, pendingDs } = this.doc.store
      const waiting = pendingStructs !== null || pendingDs !== null
      this.untangleAfter = waiting ? Math.min(2 * this.untangleAfter, UNTANGLE_AT_MOST_MS) : UNTANGLE_AFTER_MS
      if (waiting) this.ask()
    }, this.untangleAfter)
  }

  /** Takes the server's state vector for what it has stored. */
  private confirm (vector: Uint8Array): void {
    const stored = Y.decodeStateVector(vector).get(this.doc.clientID) ?? 0
    if (stored < Y.getState(this.doc.store, this.doc.clientID)) return
    this.unsaved = this.asked = false
    clearTimeout(this.timer)
    this.tell()
  }

  /** Lets us see messages of a type before the provider handles them. */
  private watch (type: number, look: (decoder: decoding.Decoder) => void): void {
    const handlers = this.provider.messageHandlers
    const handle = handlers[type]
    if (handle === undefined) return
    handlers[type] = (encoder, decoder, ...rest) => {
      const copy = decoding.createDecoder(decoder.arr)
      copy.pos = decoder.pos
      look(copy)
      handle(encoder, decoder, ...rest)
    }
  }

  private tell (): void {
    const status = this.status
    for (const listener of this.listeners) listener(status)
  }
}
