// The shim that lets an unmodified y-websocket provider speak to Symphony.
//
// Amazon API Gateway has three rules that y-websocket does not know: the room
// cannot be in the path, frames must be text, and a message from a client may
// not be larger than one 32 KB frame. So this stands in for `WebSocket`:
//
//   import { symphonySocket } from '@symphony-rt/client/y-websocket'
//   new WebsocketProvider('wss://host/stage', encodeURIComponent(room), doc, {
//     WebSocketPolyfill: symphonySocket(Y)
//   })
//
// It moves the room into `?room=`, carries each message as base64, and cuts an
// update that is too large into several that are each valid. It is JavaScript
// with checked types, so that Node runs the very file that the browser gets.

import * as decoding from 'lib0/decoding'
import { fromBase64, toBase64 } from 'lib0/buffer'
import { MAX_MESSAGE, splitMessage } from './split.js'

/**
 * What went wrong, for the application to show. `too-large`: a part of an edit
 * cannot be sent at all. `refused`: the server said no (its error frame, type
 * 131). `bad-frame`: the server sent what is not base64, such as the gateway's own
 * errors.
 *
 * @typedef {object} Problem
 * @property {'too-large' | 'refused' | 'bad-frame'} kind
 * @property {string} text
 * @property {number} [code] the error frame's code, with `refused`
 * @property {boolean} [retry] with `refused`: the same may be accepted later
 */

/**
 * @typedef {object} Options
 * @property {typeof WebSocket} [WebSocket] the real one; Node 20 has none, so give it `ws`'s
 * @property {(problem: Problem) => void} [onProblem]
 * @property {number} [maxMessage] in raw bytes, at most (and by default) {@link MAX_MESSAGE}
 */

/** Symphony's own message types start here (docs/PROTOCOL.md); a plain client gets only the error frame of them. */
const FIRST_OWN_TYPE = 100
const TYPE_ERROR = 131

/** Standard base64 with padding, of at least one byte. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Normal closure, and what a browser reports when none came (RFC 6455, section 7.4.1). */
const CLOSE_NORMAL = 1000
/** Ours (4000 to 4999 are free for applications): the provider connects again and synchronizes. */
const CLOSE_RESYNC = 4000

/**
 * Makes a class to give to y-websocket as its `WebSocketPolyfill`.
 *
 * `Y` is the application's own `import * as Y from 'yjs'`: a second copy of Yjs
 * in one page breaks its constructor checks.
 *
 * Of WebSocket it has what the provider uses: the `on…` handlers, `send`,
 * `close`, `readyState`, `binaryType`, `bufferedAmount`, `url`, `protocol`.
 * Every problem is also a line on the console and an `error` event, which the
 * provider emits as `connection-error`.
 *
 * @param {typeof import('yjs')} Y
 * @param {Options} [options]
 * @returns {typeof WebSocket}
 */
export function symphonySocket (Y, options = {}) {
  const Base = options.WebSocket ?? globalThis.WebSocket
  const max = Math.min(options.maxMessage ?? MAX_MESSAGE, MAX_MESSAGE)

  class SymphonySocket {
    static CONNECTING = 0
    static OPEN = 1
    static CLOSING = 2
    static CLOSED = 3

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3

    /** @type {((event: Event) => void) | null} */
    onopen = null
    /** @type {((event: MessageEvent) => void) | null} */
    onmessage = null
    /** @type {((event: CloseEvent) => void) | null} */
    onclose = null
    /** @type {((event: Event) => void) | null} */
    onerror = null
    /** Messages are always given as ArrayBuffer, which is what the provider sets here. */
    binaryType = 'arraybuffer'

    /**
     * @param {string} url the provider's `server/room?params`
     * @param {string | string[]} [protocols]
     */
    constructor (url, protocols = []) {
      this.inner = new Base(gatewayURL(url), protocols)
      this.inner.onopen = event => this.onopen?.(event)
      this.inner.onclose = event => this.onclose?.(event)
      this.inner.onerror = event => this.onerror?.(event)
      this.inner.onmessage = event => this.receive(event.data)
    }

    get url () { return this.inner.url }
    get protocol () { return this.inner.protocol }
    get readyState () { return this.inner.readyState }
    get bufferedAmount () { return this.inner.bufferedAmount }

    /**
     * Sends one y-protocols message, as several when it is too large for one.
     * @param {Uint8Array | ArrayBuffer} data
     */
    send (data) {
      const message = data instanceof Uint8Array ? data : new Uint8Array(data)
      const { messages, lost } = splitMessage(Y, message, max)
      for (const part of messages) this.inner.send(toBase64(part))
      for (const text of lost) this.problem({ kind: 'too-large', text })
    }

    /**
     * @param {number} [code]
     * @param {string} [reason]
     */
    close (code = CLOSE_NORMAL, reason) {
      this.inner.close(code, reason)
    }

    /** @param {unknown} frame */
    receive (frame) {
      const bytes = decodeFrame(frame)
      if (bytes === null) {
        // The gateway's own words, `{"message": "Internal server error", …}`: a
        // message of ours did not reach a function, and nothing says which. A
        // plain client has no acknowledgements, but a new connection compares
        // state vectors, and that finds what is missing on either side.
        this.problem({ kind: 'bad-frame', text: 'the gateway could not deliver a message; connecting again' })
        this.inner.close(CLOSE_RESYNC, 'a message was not delivered')
        return
      }
      const decoder = decoding.createDecoder(bytes)
      const type = decoding.readVarUint(decoder)
      if (type < FIRST_OWN_TYPE) {
        this.onmessage?.(new MessageEvent('message', { data: bytes.slice().buffer }))
      } else if (type === TYPE_ERROR) {
        const problem = readError(decoder)
        this.problem(problem)
        if (problem.retry) this.inner.close(CLOSE_RESYNC, 'a message was not stored')
      }
    }

    /** @param {Problem} problem */
    problem (problem) {
      // What a new connection makes good is not an error to wake anybody for.
      const heals = problem.kind === 'bad-frame' || problem.retry === true
      console[heals ? 'warn' : 'error'](`symphony: ${problem.text}`)
      options.onProblem?.(problem)
      this.onerror?.(Object.assign(new Event('error'), { message: problem.text, problem }))
    }
  }

  return /** @type {typeof WebSocket} */ (/** @type {unknown} */ (SymphonySocket))
}

/**
 * The gateway's URL for a provider's: the room, which y-websocket puts after the
 * last slash, goes into the query. Rooms with any of `/ ? # %` in their name
 * must have gone through encodeURIComponent, as y-websocket does not do it.
 * (Not done with `URL`, which would take a room named `..` for a step up.)
 *
 * @param {string} url `wss://host/stage/room?token=…`
 * @returns {string} `wss://host/stage?room=room&token=…`
 */
export function gatewayURL (url) {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  const slash = path.lastIndexOf('/')
  const room = encodeURIComponent(decodeRoom(path.slice(slash + 1)))
  return `${path.slice(0, slash)}?room=${room}${query === '' ? '' : `&${query}`}`
}

/** @param {string} segment */
function decodeRoom (segment) {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // not encoded: a name with a lone % in it
  }
}

/**
 * @param {unknown} frame
 * @returns {Uint8Array | null} null when it is not base64 of at least one byte
 */
function decodeFrame (frame) {
  // Checked first, as Node's decoder makes bytes of anything.
  if (typeof frame !== 'string' || frame.length % 4 !== 0 || !BASE64.test(frame)) return null
  return fromBase64(frame)
}

/**
 * Reads the body of an error frame: code, message id, retry after, text.
 * @param {decoding.Decoder} decoder after the type
 * @returns {Problem}
 */
function readError (decoder) {
  try {
    const code = decoding.readVarUint(decoder)
    decoding.readVarUint(decoder) // message id: a plain client gives none
    const retry = decoding.readVarUint(decoder) > 0 // when is the provider's own affair
    return { kind: 'refused', code, retry, text: decoding.readVarString(decoder) }
  } catch {
    return { kind: 'bad-frame', text: 'the server sent an error frame that does not decode' }
  }
}
