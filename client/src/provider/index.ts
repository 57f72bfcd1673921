/** Layer 1: the provider, and the seam for the layers above. */

export { type Clock, systemClock, Timers } from './clock'
export { Connection, type ConnectionOptions, type Host, type Problem, type Status } from './connection'
export type { SocketConstructor, SocketLike } from './link'
export type { SymphonyProviderOptions } from './options'
export { SymphonyProvider, type SymphonyProviderEvents } from './provider'
export type { Token } from './token'
export { serverUrl } from './url'
