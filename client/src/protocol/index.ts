/** The wire of docs/PROTOCOL.md. */

export { decodeMessage, encodeMessage, MalformedError } from './codec'
export * as ErrorCode from './codes'
export { decodeFrame, encodeFrame, fromBase64, GatewayError, toBase64 } from './frame'
export * from './limits'
export { TABLE, type Header, type Message, type MessageName, type MessageOf } from './messages'
