// The codec against frames made by real y-protocols, both ways, and against hostile bytes.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decodeFrame, decodeMessage, encodeFrame, encodeMessage, fromBase64, GatewayError, MalformedError, type Message, TABLE, toBase64 } from '../../src/protocol'

interface Golden {
  frames: Array<{ go: string, about: string, message: Record<string, unknown>, frame: string }>
  reads: Array<{ bytes: string, value: number | null }>
  texts: Array<{ bytes: string, value: string | null }>
}

// Read here and not imported: bundlers' JSON does not know unpaired surrogates.
const golden = JSON.parse(readFileSync(new URL('../../../internal/protocol/golden/frames.json', import.meta.url), 'utf8')) as Golden

/** Go's field names, where they are not ours with a capital letter. */
const FIELDS: Record<string, string> = {
  ID: 'id', UserID: 'userId', TimeMS: 'time', URL: 'url', SHA256: 'sha256', RetryMS: 'retry'
}

/** A golden message in our words. */
function ours (go: string, fields: Record<string, unknown>): Message {
  const type = (go.charAt(0).toLowerCase() + go.slice(1)).replace('URL', 'Url')
  const kinds = (TABLE as Record<string, readonly [number, number, Record<string, string>]>)[type]![2]
  const message: Record<string, unknown> = { type }
  for (const name of Object.keys(kinds)) {
    const key = Object.keys(fields).find(key => (FIELDS[key] ?? key.charAt(0).toLowerCase() + key.slice(1)) === name)
    expect(key, `${go}.${name}`).toBeDefined()
    message[name] = value(kinds[name]!, fields[key!])
  }
  return message as unknown as Message
}

function value (kind: string, json: unknown): unknown {
  switch (kind) {
    case 'bytes': return new Uint8Array(Buffer.from((json as string | null) ?? '', 'base64'))
    case 'hash': return Uint8Array.from(json as number[])
    case 'headers': return ((json ?? []) as Array<{ Name: string, Value: string }>).map(({ Name, Value }) => [Name, Value])
    case 'string': return (json as string).replace(/\p{Surrogate}/gu, '\ufffd') // as TextEncoder does
    default: return json
  }
}

test('every golden frame, both ways', () => {
  expect(golden.frames.length).toBeGreaterThan(100)
  for (const { go, about, message, frame } of golden.frames) {
    const want = ours(go, message)
    expect(decodeFrame(frame), `${go}, ${about}`).toEqual(want)
    expect(encodeFrame(want), `${go}, ${about}`).toBe(frame)
  }
  const types = new Set(golden.frames.map(({ go }) => go))
  expect(types.size).toBe(Object.keys(TABLE).length)
})

test('golden uints are read as lib0 reads them', () => {
  for (const { bytes, value } of golden.reads) {
    const tail = Buffer.concat([Buffer.from([108]), Buffer.from(bytes, 'base64')])
    if (value === null) expect(() => decodeMessage(tail), bytes).toThrow(MalformedError)
    else expect(decodeMessage(tail), bytes).toEqual({ type: 'tail', seq: value })
  }
})

test('golden texts: damaged UTF-8 is refused', () => {
  for (const { bytes, value } of golden.texts) {
    const text = Buffer.from(bytes, 'base64')
    const auth = Buffer.concat([Buffer.from([2, 0]), Buffer.from(text.length < 128 ? [text.length] : [text.length & 127 | 128, text.length >> 7]), text])
    if (value === null) expect(() => decodeMessage(auth), bytes).toThrow(MalformedError)
    else expect(decodeMessage(auth), bytes).toEqual({ type: 'auth', reason: value })
  }
})

test('a later version adds types and fields', () => {
  expect(decodeMessage(Uint8Array.of(109, 1, 2))).toBeNull()
  expect(decodeMessage(Uint8Array.of(200, 1, 9, 9))).toBeNull()
  expect(decodeMessage(Uint8Array.of(108, 7, 1, 2, 3))).toEqual({ type: 'tail', seq: 7 })
})

test.each(['', 'A', 'AA', 'AA=', 'Aw==\n', ' Aw==', 'Aw', 'Ax==', 'Aw==Aw==', 'A===', '-_==', 'é', '{', '{"a":1}'])('frame %j is refused', frame => {
  expect(() => decodeFrame(frame)).toThrow(MalformedError)
})

test('what is not text is refused', () => {
  for (const data of [new ArrayBuffer(2), null, undefined, 3]) expect(() => decodeFrame(data)).toThrow(MalformedError)
})

test("the gateway's own errors", () => {
  expect(() => decodeFrame('{"message": "Internal server error", "connectionId":"x"}')).toThrow(GatewayError)
  expect.assertions(3)
  try {
    decodeFrame('{"message":"Too Many Requests"}')
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError)
    expect((error as GatewayError).throttled).toBe(true)
  }
})

test('every prefix of every message is refused, and nothing is allocated for a length that lies', () => {
  for (const { frame } of golden.frames) {
    const bytes = fromBase64(frame)
    for (let end = 0; end < Math.min(bytes.length, 40); end++) {
      expect(() => decodeMessage(bytes.subarray(0, end))).toThrow(MalformedError)
    }
  }
  expect(() => decodeMessage(Uint8Array.of(104, 1, 255, 255, 255, 255, 15))).toThrow(MalformedError)
  expect(() => decodeMessage(Uint8Array.of(111, 1, 0, 0, 255, 255, 3))).toThrow(MalformedError)
})

test('random bytes give a message or a MalformedError', () => {
  const seed = Number(process.env.SYMPHONY_SEED ?? Date.now() % 2 ** 31)
  console.log(`seed ${seed}`)
  let state = seed
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: next() % 40 }, next)
    if (bytes.length > 0) bytes[0] = [0, 1, 2, 3, 101, 104, 106, 111, 113, 120, 131][next() % 11]!
    if (bytes[0]! >= 128 && bytes.length > 1) bytes[1] = 1
    try {
      decodeMessage(bytes)
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
    }
  }
})

test('base64 of every length, and of a large message', () => {
  for (const length of [0, 1, 2, 3, 4, 95, 96_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at * 7)
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(fromBase64(toBase64(bytes))).toEqual(bytes)
  }
})

test('a number that is not a safe integer is not written', () => {
  for (const seq of [-1, 0.5, NaN, 2 ** 53]) expect(() => encodeMessage({ type: 'probe', seq })).toThrow(MalformedError)
})
