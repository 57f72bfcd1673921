/** Messages to bytes and back, over lib0's encoding (docs/PROTOCOL.md, "Frames"). */

import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { MAX_UPLOAD_HEADERS } from './limits'
import { TABLE, type Header, type Kind, type Message, type MessageName } from './messages'

/** The bytes are not a complete message. */
export class MalformedError extends Error {
  override name = 'MalformedError'
}

type Fields = Record<string, unknown>

const names = new Map<number, MessageName>()
for (const name of Object.keys(TABLE) as MessageName[]) {
  const [type, sub] = TABLE[name]
  names.set(key(type, sub), name)
}

/** One number for a type and its kind; only sync and auth have one. */
function key (type: number, sub: number): number {
  return type * 8 + sub + 1
}

/** Encodes a message. Throws MalformedError for a number that is not a safe integer. */
export function encodeMessage (message: Message): Uint8Array {
  const [type, sub, fields] = TABLE[message.type]
  const out = encoding.createEncoder()
  encoding.writeVarUint(out, type)
  if (sub >= 0) encoding.writeVarUint(out, sub)
  const values = message as unknown as Fields
  for (const name in fields) write(out, (fields as Record<string, Kind>)[name]!, values[name])
  return encoding.toUint8Array(out)
}

function write (out: encoding.Encoder, kind: Kind, value: unknown): void {
  switch (kind) {
    case 'uint':
      if (!Number.isSafeInteger(value) || (value as number) < 0) throw new MalformedError('not a uint')
      return encoding.writeVarUint(out, value as number)
    case 'bool':
      return encoding.writeVarUint(out, value === true ? 1 : 0)
    case 'string':
      return encoding.writeVarUint8Array(out, utf8.encode(value as string))
    case 'bytes':
      return encoding.writeVarUint8Array(out, value as Uint8Array)
    case 'hash':
      if ((value as Uint8Array).length !== 32) throw new MalformedError('not a hash')
      return encoding.writeVarUint8Array(out, value as Uint8Array)
    case 'headers':
      encoding.writeVarUint(out, (value as Header[]).length)
      for (const header of value as Header[]) for (const text of header) write(out, 'string', text)
  }
}

/**
 * Decodes a server's message. Null: a type of a later version, to be ignored, as
 * are bytes after the last field. Throws MalformedError for anything else.
 */
export function decodeMessage (bytes: Uint8Array): Message | null {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof MalformedError) throw error
    throw new MalformedError(error instanceof Error ? error.message : String(error)) // lib0's "unexpected end"
  }
}

function decode (bytes: Uint8Array): Message | null {
  const input = decoding.createDecoder(bytes)
  const type = readUint(input)
  const name = type === 0 || type === 2 ? names.get(key(type, Math.min(readUint(input), 6))) : names.get(key(type, -1))
  if (name === undefined) {
    if (type === 0 || type === 2) throw new MalformedError('unknown kind')
    return null
  }
  const message: Fields = { type: name }
  const fields = TABLE[name][2] as Record<string, Kind>
  for (const field in fields) message[field] = read(input, fields[field]!)
  return message as unknown as Message
}

function read (input: decoding.Decoder, kind: Kind): unknown {
  switch (kind) {
    case 'uint':
      return readUint(input)
    case 'bool': {
      const value = readUint(input)
      if (value > 1) throw new MalformedError('not a flag')
      return value === 1
    }
    case 'string':
      return utf8Text.decode(readBytes(input))
    case 'bytes':
      return readBytes(input).slice()
    case 'hash': {
      const hash = readBytes(input)
      if (hash.length !== 32) throw new MalformedError('not a hash')
      return hash.slice()
    }
    case 'headers': {
      const n = readUint(input)
      if (n > MAX_UPLOAD_HEADERS) throw new MalformedError('too many headers')
      return Array.from({ length: n }, () => [read(input, 'string'), read(input, 'string')])
    }
  }
}

function readUint (input: decoding.Decoder): number {
  const value = decoding.readVarUint(input)
  if (!Number.isSafeInteger(value)) throw new MalformedError('not a uint')
  return value
}

function readBytes (input: decoding.Decoder): Uint8Array {
  const length = readUint(input)
  if (length > input.arr.length - input.pos) throw new MalformedError('too short')
  return decoding.readUint8Array(input, length)
}

const utf8 = new TextEncoder()
// Not fatal is wrong twice: it hides damage, and a byte order mark is text here.
const utf8Text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
