/** One WebSocket of a connection, from its handshake to its end. */

import { decodeFrame, decodeMessage, encodeFrame, GatewayError, type Message } from '../protocol'

/** What the provider needs of a WebSocket; the browser's is one. */
export interface SocketLike {
  readonly readyState: number
  send (data: string): void
  close (code?: number, reason?: string): void
  onopen: ((event: any) => void) | null
  onmessage: ((event: any) => void) | null
  onerror: ((event: any) => void) | null
  onclose: ((event: any) => void) | null
}

/** Opens sockets; the browser's WebSocket is one. */
export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike

const OPEN = 1

/** Broadcasts kept until the welcome says from which epoch they are. */
const MAX_EARLY = 1024

/** What a link tells its connection. After `closed` it says nothing more. */
export interface LinkEvents {
  opened (link: Link): void
  message (link: Link, message: Message): void
  gatewayError (link: Link, error: GatewayError): void
  /** The event is null when this side gave the link up. */
  closed (link: Link, event: CloseEvent | null): void
  failed (link: Link, event: Event): void
}

export class Link {
  open = false
  /** Welcomed: messages may be sent. */
  ready = false
  /** It is no longer used; nothing of it counts any more. */
  over = false
  /** How many hellos it sent, and the number the last one resumed after. */
  hellos = 0
  after = 0
  /** Numbered messages that came before the welcome. */
  early: Message[] = []
  /** Pieces that count only together with what completes them. */
  pieces: Uint8Array[] = []
  /** What came while a snapshot was being fetched. */
  held: Message[] = []
  snapshots = 0
  /** A snapshot could not be fetched: the welcome it belongs to does not count. */
  lacks?: boolean
  /** The number of the last probe. */
  probed = 0
  readonly since: number
  readonly socket: SocketLike
  readonly #events: LinkEvents

  constructor (socket: SocketLike, now: number, events: LinkEvents) {
    this.socket = socket
    this.since = now
    this.#events = events
    socket.onopen = () => {
      if (this.over) return
      this.open = true
      events.opened(this)
    }
    socket.onmessage = (event: MessageEvent) => { if (!this.over) this.#received(event.data) }
    socket.onerror = (event: Event) => { if (!this.over) events.failed(this, event) }
    socket.onclose = (event: CloseEvent) => this.#end(event)
  }

  /** False when the frame could not be handed to the socket. */
  send (message: Message): boolean {
    if (this.over || this.socket.readyState !== OPEN) return false
    this.socket.send(encodeFrame(message))
    return true
  }

  /** Keeps a message for after the welcome. False: there are too many. */
  keep (message: Message): boolean {
    return this.early.push(message) <= MAX_EARLY
  }

  /** Closes the socket and reports the end at once: a dead network never would. */
  abandon (): void {
    if (this.over) return
    this.#close()
    this.#end(null)
  }

  /** Closes the socket without a report. */
  discard (): void {
    this.over = true
    this.#close()
  }

  #received (data: unknown): void {
    let message: Message | null
    try {
      // Bytes come from another tab, which has decoded the frame.
      message = data instanceof Uint8Array ? decodeMessage(data) : decodeFrame(data)
    } catch (error) {
      if (error instanceof GatewayError) this.#events.gatewayError(this, error)
      else this.abandon() // what cannot be read may have been an update
      return
    }
    if (message !== null) this.#events.message(this, message)
  }

  #close (): void {
    try {
      this.socket.close(1000)
    } catch {
      // A polyfill that does not like to be closed while it connects.
    }
  }

  #end (event: CloseEvent | null): void {
    if (this.over) return
    this.over = true
    this.#events.closed(this, event)
  }
}
