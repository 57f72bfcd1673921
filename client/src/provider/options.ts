/** What a SymphonyProvider can be told. */

import type { Awareness } from 'y-protocols/awareness'
import type { Times } from '../protocol'
import type { Clock } from './clock'
import type { SocketConstructor } from './link'
import type { SymphonyProvider } from './provider'
import type { Token } from './token'
import type { Fetch } from './transfer'

export interface SymphonyProviderOptions {
  /** Connect at once. Default true. */
  connect?: boolean
  /** Default: a new Awareness of the document. */
  awareness?: Awareness
  /** Further query parameters of the WebSocket URL. */
  params?: Record<string, string>
  /** Access token, or a function that gets one for each connection and before one expires. */
  token?: Token
  /** Where the token travels: among the subprotocols, where no log shows it, or in the query. Default 'subprotocol'. */
  tokenIn?: 'subprotocol' | 'query'
  /** Keep the document and what is not acknowledged in IndexedDB. Default false. */
  offline?: boolean
  /** Let the browser ask before a page with unacknowledged changes is left. Default false. */
  warnBeforeUnload?: boolean
  /** No exchange with other tabs. Default false. */
  disableBc?: boolean
  /**
   * Let the tabs of one browser that have the same room and user use one connection.
   * Default true, unless there is a WebSocketPolyfill; needs BroadcastChannel and Web Locks.
   */
  shareConnection?: boolean
  /** Further subprotocols to offer. */
  protocols?: string[]
  /** Default: the browser's WebSocket. */
  WebSocketPolyfill?: SocketConstructor
  /** Whether to connect again after the server closed. Default: unless it did with a code from 4400 to 4499, as y-websocket. */
  shouldReconnect?: (event: CloseEvent, provider: SymphonyProvider) => boolean
  /** y-websocket's; not needed: a client knows by numbers and probes what it misses, and asks for that only. */
  resyncInterval?: number
  /** The longest wait between two attempts, ms. Default 30,000. */
  maxBackoffTime?: number
  /** Intervals, each with a default from docs/PROTOCOL.md. */
  times?: Partial<Times>
  /** For tests: time, randomness in [0, 1), HTTP. */
  clock?: Clock
  random?: () => number
  fetch?: Fetch
}
