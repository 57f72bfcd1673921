// A document of megabytes comes by URL to who joins, on the real local server.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { SymphonyProvider, type SymphonyProviderOptions } from '../../src'
import { decodeFrame } from '../../src/protocol'
import { type LocalServer, startLocalServer } from '../../src/testing'

/** How many messages of each type the tests' last provider was sent. */
let received = new Map<string, number>()

class Counted extends WebSocket {
  constructor (url: string, protocols?: string[]) {
    super(url, protocols)
    const counts = received
    this.on('message', data => {
      const type = decodeFrame(String(data))?.type ?? ''
      counts.set(type, (counts.get(type) ?? 0) + 1)
    })
  }
}

let server: LocalServer
const CHARACTERS = 8_000_000

function client (options: SymphonyProviderOptions = {}): SymphonyProvider {
  received = new Map()
  return new SymphonyProvider(server.ws, 'large', new Y.Doc(), { WebSocketPolyfill: Counted as never, disableBc: true, ...options })
}

async function until (what: () => boolean): Promise<void> {
  while (!what()) await new Promise(resolve => { setTimeout(resolve, 10) }) // also in beforeAll; the test's time-out ends it
}

function text ({ doc }: SymphonyProvider): string {
  return doc.getText('t').toString()
}

beforeAll(async () => {
  server = await startLocalServer({ args: ['--checkpoint', '1s'] })
  const author = client()
  await until(() => author.synced)
  author.doc.getText('t').insert(0, 'x'.repeat(CHARACTERS))
  await until(() => !author.hasUnacknowledgedChanges)
  for (let by = 0; ; by++) { // until a checkpoint has made a snapshot of it
    author.doc.getText('t').insert(0, String(by % 10))
    await until(() => !author.hasUnacknowledgedChanges)
    const probe = client()
    await until(() => probe.synced)
    probe.destroy()
    if (received.get('snapshotByUrl') === 1) break
    await new Promise(resolve => { setTimeout(resolve, 200) })
  }
  author.destroy()
})
afterAll(async () => { await server.stop() })

test('a newcomer joins by URL, and edits go both ways', async () => {
  const a = client({ params: { token: 'somebody' } })
  await until(() => a.synced)
  expect(text(a).length).toBeGreaterThan(CHARACTERS)
  expect(received.get('snapshotByUrl')).toBe(1)
  expect(received.get('range') ?? 0).toBeLessThan(3)
  const b = client()
  await until(() => b.synced)
  b.doc.getText('t').insert(0, 'after the snapshot')
  await until(() => text(a).startsWith('after the snapshot'))
  expect(text(a)).toBe(text(b))
  a.destroy()
  b.destroy()
})

test('guarantee 5: a GET that fails once is tried again, one that always fails is made up for by pieces', async () => {
  const real = globalThis.fetch
  let gets = 0
  let failing = 1
  globalThis.fetch = async (...args) => ++gets <= failing ? new Response('gone', { status: 404 }) : await real(...args)
  try {
    const once = client()
    const lengths = new Set<number>()
    once.doc.on('update', () => { lengths.add(text(once).length) })
    await until(() => once.synced)
    expect(gets).toBe(2)
    expect(received.get('range') ?? 0).toBeLessThan(3)
    gets = 0
    failing = Infinity
    const never = client()
    never.doc.on('update', () => { lengths.add(text(never).length) })
    await until(() => never.synced)
    expect(received.get('range')).toBeGreaterThan(80)
    expect(received.get('welcome')).toBe(2)
    expect(text(never)).toBe(text(once))
    expect(Math.min(...lengths)).toBeGreaterThan(CHARACTERS) // never less than all of it
    once.destroy()
    never.destroy()
  } finally {
    globalThis.fetch = real
  }
})
