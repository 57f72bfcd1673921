/** Edits and presence between the tabs of one browser, offline too, over BroadcastChannel. */

import { decodeMessage, encodeMessage, type Message } from '../protocol'

export class Tabs {
  #channel: BroadcastChannel | null
  readonly #receive: (message: Message) => void

  /** Joins the tabs that use the same server and room. */
  constructor (name: string, receive: (message: Message) => void) {
    this.#receive = receive
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = event => { this.#message(event.data) }
    // Node would wait for it before it ends.
    ;(this.#channel as { unref?: () => void }).unref?.()
  }

  post (message: Message): void {
    this.#channel?.postMessage(encodeMessage(message))
  }

  close (): void {
    if (this.#channel === null) return
    this.#channel.onmessage = null
    this.#channel.close()
    this.#channel = null
  }

  #message (data: unknown): void {
    if (this.#channel === null || !(data instanceof Uint8Array)) return
    let message: Message | null
    try {
      message = decodeMessage(data)
    } catch {
      return // of another version of this package
    }
    if (message !== null) this.#receive(message)
  }
}
