// An unmodified y-websocket provider, through the shim of @symphony-rt/client/y-websocket.

import * as Y from 'yjs'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { symphonySocket } from '../../../client/src/shim/symphony-socket.js'
import { eventually } from './wait.mjs'

export { Y }

// Each provider listens to the end of the process.
process.setMaxListeners(0)

/** A document with its provider. */
export class Client {
  /** What the shim and the server complained about and a new connection does not make good. */
  problems = []
  /** Codes of closed connections. */
  closes = []
  /** Every update made here, as Yjs gave it. */
  made = []

  /**
   * @param {string} server the WebSocket URL without the room
   * @param {string} room
   */
  constructor (server, room) {
    this.doc = new Y.Doc()
    this.doc.on('update', (update, origin) => { if (origin !== this.provider) this.made.push(update) })
    this.provider = new WebsocketProvider(server, encodeURIComponent(room), this.doc, {
      WebSocketPolyfill: symphonySocket(Y, { WebSocket, onProblem: problem => { if (problem.kind !== 'bad-frame' && !problem.retry) this.problems.push(problem) } }),
      disableBc: true,
      maxBackoffTime: 400
    })
    this.provider.on('connection-close', event => this.closes.push(event?.code ?? 0))
  }

  /** Waits for the room's content. */
  async synced () {
    await eventually('a provider is synced', () => this.provider.synced)
    return this
  }

  /** Ends the TCP connection without a closing handshake; the provider comes back by itself. */
  cut () {
    this.provider.ws?.inner.terminate()
  }

  /** Ends it for good, as a closed tab that could say nothing. */
  vanish () {
    const inner = this.provider.ws?.inner
    this.provider.shouldConnect = false
    this.provider.awareness.destroy()
    if (inner !== undefined) {
      inner.onclose = inner.onmessage = null
      inner.onerror = () => {}
      inner.terminate()
    }
    this.provider.destroy()
    this.doc.destroy()
  }

  destroy () {
    this.provider.destroy()
    this.provider.awareness.destroy()
    this.doc.destroy()
  }
}

/** Everything in a document that a user could see, for comparison. */
export function content (doc) {
  return {
    text: doc.getText('text').toDelta(),
    map: doc.getMap('map').toJSON(),
    list: doc.getArray('list').toJSON(),
    xml: doc.getXmlFragment('xml').toString(),
    pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null
  }
}

/**
 * What a document has received, all of it applied at once. Under reordering Yjs
 * keeps what came too early, but does not always notice that it fits by now; it is
 * only waiting for the next update to look again.
 */
export function received (doc) {
  const { pendingStructs, pendingDs } = doc.store
  return pendingStructs === null && pendingDs === null ? doc : replay([Y.encodeStateAsUpdate(doc)])
}

/** A document made of nothing but these updates. */
export function replay (updates) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.mergeUpdates(updates))
  return doc
}
