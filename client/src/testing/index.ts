/**
 * For tests of apps: a fake socket, a clock that stands still, a local server.
 *
 * @module testing
 */

export { FakeClock, settle } from './clock'
export { type LocalServer, type LocalServerOptions, startLocalServer } from './server'
export { FakeSocket, fakeSockets } from './socket'
export { decodeFrame, encodeFrame, type Message, type MessageName, type MessageOf } from '../protocol'
