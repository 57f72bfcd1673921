/** Messages as text frames: strict base64 (RFC 4648 section 4) of their bytes. */

import { decodeMessage, encodeMessage, MalformedError } from './codec'
import type { Message } from './messages'

const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** btoa takes its text from String.fromCharCode, whose argument list is bounded. */
const CHUNK = 0x8000

/** What API Gateway says itself when a message reached no function. */
export class GatewayError extends Error {
  override name = 'GatewayError'
  /** True when it throttles: send less. */
  readonly throttled: boolean

  constructor (text: string) {
    super(text)
    this.throttled = text === 'Too Many Requests'
  }
}

export function toBase64 (bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  }
  return btoa(text)
}

/** Throws MalformedError for anything but the one standard form. */
export function fromBase64 (text: string): Uint8Array {
  if (!STANDARD.test(text)) throw new MalformedError('not base64')
  const bytes = Uint8Array.from(atob(text), char => char.charCodeAt(0))
  // The unused bits of the last character must be zero; atob does not look.
  if (text.endsWith('=') && toBase64(bytes.subarray(bytes.length - bytes.length % 3)) !== text.slice(-4)) {
    throw new MalformedError('not base64')
  }
  return bytes
}

/** The frame of a message. */
export function encodeFrame (message: Message): string {
  return toBase64(encodeMessage(message))
}

/**
 * The message of a server's frame; null when its type is of a later version.
 * Throws GatewayError for the gateway's own JSON errors and MalformedError.
 */
export function decodeFrame (frame: unknown): Message | null {
  if (typeof frame !== 'string') throw new MalformedError('not a text frame')
  if (frame.startsWith('{')) throw gatewayError(frame)
  return decodeMessage(fromBase64(frame))
}

function gatewayError (frame: string): Error {
  try {
    const { message } = JSON.parse(frame) as { message?: unknown }
    if (typeof message === 'string') return new GatewayError(message)
  } catch {
    // Not JSON either.
  }
  return new MalformedError('not base64')
}
