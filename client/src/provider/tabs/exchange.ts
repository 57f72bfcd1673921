/** Edits and presence from tab to tab of one browser, offline too, over BroadcastChannel. */

import * as Y from 'yjs'
import { decodeMessage, encodeMessage, type Message } from '../../protocol'
import type { Connection } from '../connection'
import type { Presence } from '../presence'
import { isEmptyUpdate } from '../updates'

export interface ExchangeOptions {
  /** Tabs that use the same server and room have the same. */
  name: string
  doc: Y.Doc
  presence: Presence
  connection: Connection
  /** Takes what another tab's document has. */
  edited: (update: Uint8Array) => void
}

export class Exchange {
  readonly #o: ExchangeOptions
  readonly #channel: BroadcastChannel
  #closed = false

  /** Joins the tabs, shows them what is here and asks for what is there. */
  constructor (options: ExchangeOptions) {
    this.#o = options
    this.#channel = openChannel(options.name, data => { this.#received(data) })
    this.post({ type: 'syncStep1', stateVector: Y.encodeStateVector(options.doc) })
    this.#shareMissing()
    this.post({ type: 'queryAwareness' })
    this.#sharePresence()
  }

  post (message: Message): void {
    // What this user may not write would go out as another tab's.
    const edits = message.type === 'syncUpdate' || message.type === 'syncStep2'
    if (!this.#closed && !(edits && this.#o.connection.access === 'read')) this.#channel.postMessage(encodeMessage(message))
  }

  close (): void {
    this.#closed = true
    this.#channel.onmessage = null
    this.#channel.close()
  }

  #received (data: unknown): void {
    if (this.#closed || !(data instanceof Uint8Array)) return
    let message: Message | null
    try {
      message = decodeMessage(data)
    } catch {
      return // of another version of this package
    }
    switch (message?.type) {
      case 'syncStep1': return this.#shareMissing(message.stateVector)
      case 'syncStep2':
      case 'syncUpdate': return this.#o.edited(message.update)
      case 'awareness': return this.#o.presence.receive(message.update)
      case 'queryAwareness': return this.#sharePresence()
    }
  }

  #shareMissing (stateVector?: Uint8Array): void {
    const update = Y.encodeStateAsUpdate(this.#o.doc, stateVector)
    if (!isEmptyUpdate(update)) this.post({ type: 'syncStep2', update })
  }

  #sharePresence (): void {
    const update = this.#o.presence.own()
    if (update !== null) this.post({ type: 'awareness', update })
  }
}

/** A BroadcastChannel that does not keep Node alive. */
export function openChannel (name: string, received: (data: unknown) => void): BroadcastChannel {
  const channel = new BroadcastChannel(name)
  channel.onmessage = event => { received(event.data) }
  ;(channel as { unref?: () => void }).unref?.()
  return channel
}
