// The provider on the real local server.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { SymphonyProvider, type SymphonyProviderOptions } from '../../src'
import { type LocalServer, startLocalServer } from '../../src/testing'

let server: LocalServer
beforeAll(async () => { server = await startLocalServer() })
afterAll(async () => { await server.stop() })

function client (room: string, options: SymphonyProviderOptions = {}): SymphonyProvider {
  return new SymphonyProvider(server.ws, room, new Y.Doc(), { WebSocketPolyfill: WebSocket as never, disableBc: true, ...options })
}

async function until (what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 90_000, interval: 10 }).toBe(true)
}

test('edits, acknowledgements, presence and leaving', async () => {
  const a = client('smoke')
  const b = client('smoke')
  await until(() => a.synced && b.synced)
  a.doc.getText('t').insert(0, 'hello')
  expect(a.hasUnacknowledgedChanges).toBe(true)
  await until(() => b.doc.getText('t').toString() === 'hello' && !a.hasUnacknowledgedChanges)
  a.awareness.setLocalStateField('name', 'a')
  await until(() => b.awareness.getStates().get(a.doc.clientID)?.name === 'a' && a.awareness.getStates().has(b.doc.clientID))
  a.destroy()
  await until(() => !b.awareness.getStates().has(a.doc.clientID))
  const c = client('smoke')
  await until(() => c.synced)
  expect(c.doc.getText('t').toString()).toBe('hello')
  b.destroy()
  c.destroy()
})

test('a large update goes by upload and is seen whole', async () => {
  const a = client('large')
  const b = client('large')
  await until(() => a.synced && b.synced)
  const lengths = new Set<number>()
  b.doc.getText('t').observe(() => { lengths.add(b.doc.getText('t').length) })
  a.doc.getText('t').insert(0, 'x'.repeat(5_000_000))
  await until(() => b.doc.getText('t').length === 5_000_000 && !a.hasUnacknowledgedChanges)
  expect([...lengths]).toEqual([5_000_000])
  const c = client('large')
  await until(() => c.synced)
  expect(c.doc.getText('t').length).toBe(5_000_000)
  for (const one of [a, b, c]) one.destroy()
})

test('a connection lives on over kill -9 of the server, and nothing acknowledged is lost', async () => {
  const a = client('killed', { maxBackoffTime: 500 })
  await until(() => a.synced)
  a.doc.getArray('l').push([1])
  await until(() => !a.hasUnacknowledgedChanges)
  await server.kill()
  await until(() => !a.wsconnected)
  a.doc.getArray('l').push([2])
  await server.restart()
  await until(() => a.synced && !a.hasUnacknowledgedChanges)
  const b = client('killed')
  await until(() => b.synced)
  expect(b.doc.getArray('l').toJSON()).toEqual([1, 2])
  a.destroy()
  b.destroy()
})
