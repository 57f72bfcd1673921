/** Sockets whose other end is the test. */

import { decodeMessage, encodeFrame, fromBase64, type Message, type MessageName, type MessageOf } from '../protocol'
import type { SocketLike } from '../provider/link'

/** A WebSocket without a network: the test plays the server. */
export class FakeSocket implements SocketLike {
  readyState = 0
  onopen: ((event: any) => void) | null = null
  onmessage: ((event: any) => void) | null = null
  onerror: ((event: any) => void) | null = null
  onclose: ((event: any) => void) | null = null
  /** Messages the client sent, oldest first. */
  readonly sent: Message[] = []
  /** The code the client closed with, null while it has not. */
  closedWith: number | null = null
  readonly url: URL
  readonly protocols: string[]

  constructor (url: string, protocols: string[] = []) {
    this.url = new URL(url)
    this.protocols = protocols
  }

  send (data: string): void {
    if (this.readyState !== 1) throw new Error('the fake socket is not open')
    const bytes = fromBase64(data)
    if (bytes.length > 24_000) throw new Error(`a message of ${bytes.length} bytes: the gateway would close with 1009`)
    this.sent.push(decodeMessage(bytes)!)
  }

  close (code = 1000): void {
    this.closedWith ??= code
    this.readyState = 3
  }

  /** The handshake succeeds. */
  open (): void {
    this.readyState = 1
    this.onopen?.({})
  }

  /** The server sends a message. */
  receive (message: Message): void {
    this.onmessage?.({ data: encodeFrame(message) })
  }

  /** The server sends any data, as it is. */
  receiveRaw (data: unknown): void {
    this.onmessage?.({ data })
  }

  /** The connection ends. */
  end (code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code, reason: '', wasClean: code === 1000 })
  }

  /** The messages of one type that the client sent. */
  all<N extends MessageName> (type: N): Array<MessageOf<N>> {
    return this.sent.filter(message => message.type === type) as Array<MessageOf<N>>
  }

  /** The last message of one type that the client sent. */
  last<N extends MessageName> (type: N): MessageOf<N> | undefined {
    return this.all(type).at(-1)
  }
}

/** A constructor for `WebSocketPolyfill` and the sockets it made. */
export function fakeSockets (): { Socket: new (url: string, protocols?: string[]) => FakeSocket, sockets: FakeSocket[] } {
  const sockets: FakeSocket[] = []
  return {
    sockets,
    Socket: class extends FakeSocket {
      constructor (url: string, protocols?: string[]) {
        super(url, protocols)
        sockets.push(this)
      }
    }
  }
}
