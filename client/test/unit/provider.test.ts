// What surrounds the session: y-websocket's surface, presence, page, tabs, offline store, URLs.

import 'fake-indexeddb/auto'
import { afterEach, expect, test, vi } from 'vitest'
import { WebsocketProvider } from 'y-websocket'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { SymphonyProvider } from '../../src'
import { serverUrl } from '../../src/provider'
import { databaseName } from '../../src/provider/store'
import { FakeClock, fakeSockets, settle } from '../../src/testing'
import { edit, world } from './world'

afterEach(() => { vi.unstubAllGlobals() })

const text = (doc: Y.Doc): string => doc.getText('t').toString()

/** Waits for IndexedDB and BroadcastChannel, which take real turns. */
async function until (what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 90_000, interval: 5 }).toBe(true)
}

/** A peer's awareness update. */
function presenceOf (state: Record<string, unknown> | null, doc = new Y.Doc()): { client: number, awareness: Awareness, update: () => Uint8Array } {
  const awareness = new Awareness(doc)
  awareness.setLocalState(state)
  awareness.destroy = () => {}
  clearInterval((awareness as unknown as { _checkInterval: number })._checkInterval)
  return { client: doc.clientID, awareness, update: () => encodeAwarenessUpdate(awareness, [doc.clientID]) }
}

test("has everything that y-websocket's provider has", () => {
  const w = world({ connect: false })
  const theirs = new WebsocketProvider('ws://x.test', 'room', new Y.Doc(), { connect: false, disableBc: true, WebSocketPolyfill: fakeSockets().Socket as never })
  for (const name of ['awareness', 'synced', 'wsconnected', 'wsconnecting', 'shouldConnect', 'params', 'url', 'roomname', 'bcconnected', 'doc', 'serverUrl', 'bcChannel'] as const) {
    expect(typeof w.provider[name], name).toBe(typeof theirs[name])
  }
  for (const name of ['connect', 'disconnect', 'destroy', 'on', 'once', 'off', 'connectBc', 'disconnectBc'] as const) {
    expect(typeof w.provider[name], name).toBe('function')
  }
  theirs.destroy()
  w.provider.destroy()
})

test('status, sync and close events, connect and disconnect', async () => {
  const w = world({ connect: false })
  await settle()
  expect(w.sockets).toHaveLength(0)
  w.provider.connect()
  expect(w.provider.wsconnecting).toBe(true)
  await w.welcome()
  w.provider.disconnect()
  w.provider.connect()
  await w.welcome()
  w.socket().end()
  expect(w.events).toEqual([
    'status:connecting', 'status:connected', 'sync:true', 'close', 'sync:false', 'status:disconnected',
    'status:connecting', 'status:connected', 'sync:true', 'close', 'sync:false', 'status:disconnected'
  ])
  w.provider.destroy()
})

test('disconnect while a token is awaited leaves nothing', async () => {
  let give: (token: string) => void = () => {}
  const w = world({ token: () => new Promise<string>(resolve => { give = resolve }) })
  w.provider.disconnect()
  give('late')
  await settle()
  expect(w.sockets).toHaveLength(0)
  w.provider.destroy()
  expect(w.clock.pending).toBe(0)
})

test('lost-connection after 5 s, and restored', async () => {
  const w = world({ random: () => 0.999 })
  await w.welcome()
  w.socket().end()
  await w.clock.advance(4_999)
  expect(w.events).not.toContain('connection:lost')
  await w.clock.advance(1)
  expect(w.events).toContain('connection:lost')
  await w.clock.advance(30_000)
  await w.welcome()
  expect(w.events).toContain('connection:restored')
  w.provider.destroy()
})

test('P1: server URLs', () => {
  expect(serverUrl('wss://a.b/dev/')).toBe('wss://a.b/dev')
  expect(serverUrl('https://a.b/dev')).toBe('wss://a.b/dev')
  expect(serverUrl('http://localhost:8787/dev')).toBe('ws://localhost:8787/dev')
  expect(serverUrl('a.b/dev')).toBe('wss://a.b/dev')
  expect(serverUrl('localhost:8787/dev')).toBe('ws://localhost:8787/dev')
  expect(serverUrl('127.0.0.1:1')).toBe('ws://127.0.0.1:1')
  for (const bad of ['', 'ftp://a.b', 'ws://', 'a b']) expect(() => serverUrl(bad), bad).toThrow(TypeError)
  for (const room of ['', 'ä'.repeat(129)]) expect(() => world({ connect: false }) && new SymphonyProvider('a.b', room, new Y.Doc())).toThrow(TypeError)
})

test('presence: throttled, adaptive to the room, and not renewed when nothing changes', async () => {
  const w = world()
  const s = await w.welcome({ members: 30 })
  const before = s.all('awareness').length
  for (let at = 0; at < 10; at++) {
    w.provider.awareness.setLocalStateField('x', at)
    await w.clock.advance(100)
  }
  expect(s.all('awareness').length - before).toBe(2) // every 450 ms
  await w.clock.advance(500)
  const now = s.all('awareness').length
  w.provider.awareness.setLocalState(w.provider.awareness.getLocalState()) // what y-protocols does every 15 s
  await w.clock.advance(1_000)
  expect(s.all('awareness')).toHaveLength(now)
  expect(w.provider.awareness.meta.get(w.doc.clientID)?.lastUpdated).toBe(Infinity)
  w.provider.destroy()
})

test('presence: answered when asked, asked once more after joining, gone with peer left and with goodbye', async () => {
  const w = world()
  const s = await w.welcome({ members: 2 })
  await w.clock.advance(2_000)
  expect(s.all('queryAwareness')).toHaveLength(1)
  const peer = presenceOf({ name: 'peer' })
  s.receive({ type: 'awareness', update: peer.update() })
  expect(w.provider.awareness.getStates().get(peer.client)).toEqual({ name: 'peer' })
  const count = s.all('awareness').length
  s.receive({ type: 'queryAwareness' })
  expect(s.all('awareness')).toHaveLength(count + 1)
  expect(s.last('awareness')!.update[0]).toBe(2) // both states
  s.receive({ type: 'peerJoined', connection: 'p2', client: peer.client, userId: '', userName: '' })
  s.receive({ type: 'peerJoined', connection: 'p1', client: peer.client, userId: '', userName: '' })
  s.receive({ type: 'peerLeft', connection: 'p1', client: peer.client }) // it renewed its connection
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(true)
  s.receive({ type: 'peerLeft', connection: 'p2', client: peer.client })
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(false)
  peer.awareness.setLocalState({ name: 'back' })
  s.receive({ type: 'awareness', update: peer.update() })
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(true)
  peer.awareness.setLocalState(null)
  s.receive({ type: 'awareness', update: peer.update() })
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(false)
  w.provider.destroy()
  expect(s.last('awareness')!.update.length).toBeLessThan(16) // null: goodbye
})

test('presence: a plain peer that stops repeating itself is gone after 30 s, a silent Symphony peer is not', async () => {
  const w = world()
  const s = await w.welcome({ members: 3 })
  const plain = presenceOf({ kind: 'plain' })
  const ours = presenceOf({ kind: 'ours' })
  s.receive({ type: 'awareness', update: ours.update() })
  for (let round = 0; round < 3; round++) {
    plain.awareness.setLocalState(plain.awareness.getLocalState())
    s.receive({ type: 'awareness', update: plain.update() })
    await w.clock.advance(15_000)
  }
  await w.clock.advance(20_000)
  expect(w.provider.awareness.getStates().has(plain.client)).toBe(false)
  expect(w.provider.awareness.getStates().has(ours.client)).toBe(true)
  for (let minute = 0; minute < 12; minute++) {
    s.receive({ type: 'tail', seq: 0 })
    await w.clock.advance(60_000)
  }
  expect(w.provider.awareness.getStates().has(ours.client)).toBe(false) // nobody said so, but it must be
  w.provider.destroy()
})

test('presence: gone while disconnected, there again afterwards even under the same clock', async () => {
  const w = world()
  const s = await w.welcome({ members: 2 })
  const peer = presenceOf({ name: 'peer' })
  s.receive({ type: 'awareness', update: peer.update() })
  s.end()
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(false)
  await w.clock.advance(500)
  const next = await w.welcome({ members: 2 })
  next.receive({ type: 'awareness', update: peer.update() })
  expect(w.provider.awareness.getStates().has(peer.client)).toBe(true)
  for (const damaged of [[5], [1, 1, 1, 1, 65], [255, 255, 255]]) next.receive({ type: 'awareness', update: Uint8Array.from(damaged) })
  w.provider.destroy()
})

test('the page: online and visible reconnect at once, pagehide flushes, the guard asks only while needed, destroy removes all', async () => {
  const target = new EventTarget()
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('window', target)
  vi.stubGlobal('document', page)
  const added = new Set<string>()
  const spy = vi.spyOn(target, 'addEventListener').mockImplementation(function (this: EventTarget, name: string, listener: never, options?: unknown) {
    added.add(name)
    ;(options as { signal: AbortSignal }).signal.addEventListener('abort', () => added.delete(name))
    EventTarget.prototype.addEventListener.call(target, name, listener, options as never)
  } as never)
  const w = world({ warnBeforeUnload: true, random: () => 0.999 })
  const first = await w.welcome()
  expect(added.has('beforeunload')).toBe(false)
  w.doc.getText('t').insert(0, 'x')
  const leaving = new Event('beforeunload', { cancelable: true })
  Object.defineProperty(leaving, 'returnValue', { writable: true, value: true }) // as a browser's event has it
  target.dispatchEvent(leaving)
  expect(leaving.defaultPrevented).toBe(true)
  target.dispatchEvent(new Event('pagehide'))
  expect(first.all('submit')).toHaveLength(1) // not after 50 ms
  first.receive({ type: 'ack', id: 1, seq: 1 })
  expect(added.has('beforeunload')).toBe(false)
  first.end()
  for (const [from, name] of [[target, 'online'], [page, 'visibilitychange']] as const) {
    const before = w.sockets.length
    from.dispatchEvent(new Event(name))
    await settle()
    expect(w.sockets).toHaveLength(before + 1)
    w.socket().end()
    await settle()
  }
  target.dispatchEvent(new Event('online'))
  const s = await w.welcome()
  page.dispatchEvent(new Event('visibilitychange'))
  expect(s.all('probe')).toHaveLength(1) // is it alive after a sleep?
  w.provider.destroy()
  expect([...added]).toEqual([])
  expect(w.clock.pending).toBe(0)
  spy.mockRestore()
})

test('tabs: edits and presence go from one to the other, offline too', async () => {
  const { Socket } = fakeSockets()
  const make = (): SymphonyProvider => new SymphonyProvider('ws://tabs.test', 'r', new Y.Doc(), { WebSocketPolyfill: Socket, clock: new FakeClock() })
  const a = make()
  a.doc.getText('t').insert(0, 'before')
  const b = make()
  expect(a.bcconnected).toBe(true)
  await until(() => text(b.doc) === 'before')
  b.doc.getText('t').insert(0, 'and ')
  a.awareness.setLocalStateField('name', 'a')
  await until(() => text(a.doc) === 'and before' && b.awareness.getStates().get(a.doc.clientID)?.name === 'a')
  expect(b.connection.outbox.size).toBe(1) // only its own
  a.destroy()
  await until(() => !b.awareness.getStates().has(a.doc.clientID))
  b.destroy()
})

test("another tab's edit: the next hello compares instead of resuming, so that it is not lost with that tab", async () => {
  const w = world({ disableBc: false })
  await until(() => w.sockets.length === 1)
  await w.welcome({ through: 3 })
  const other = new BroadcastChannel(w.provider.bcChannel)
  const { encodeMessage } = await import('../../src/protocol')
  other.postMessage(encodeMessage({ type: 'syncUpdate', update: edit('from a tab that dies') }))
  await until(() => text(w.doc) === 'from a tab that dies')
  w.socket().end()
  await w.clock.advance(500)
  const s = await w.welcome({ through: 3, stateVector: Uint8Array.of(0) })
  expect(s.last('hello')).toMatchObject({ epoch: '', after: 0 })
  await w.clock.advance(50)
  expect(s.all('submit')).toHaveLength(1)
  other.close()
  w.provider.destroy()
})

test('P20: offline storage keeps the document, what is not acknowledged, and the position', async () => {
  const first = world({ offline: true })
  await first.provider.whenLoaded
  const s = await first.welcome({ through: 4 })
  s.receive({ type: 'broadcast', seq: 5, update: edit('room ') })
  first.doc.getText('t').insert(5, 'acknowledged ')
  await first.clock.advance(50)
  s.receive({ type: 'ack', id: 1, seq: 6 })
  s.end()
  first.doc.getText('t').insert(18, 'offline')
  await first.provider.flushOffline()
  // The page is killed: no goodbye.
  const second = world({ offline: true })
  second.doc.getText('other').insert(0, 'while loading')
  await second.provider.whenLoaded
  expect(text(second.doc)).toBe('room acknowledged offline')
  expect(second.provider.hasUnacknowledgedChanges).toBe(true)
  const next = await second.welcome({ through: 6 })
  expect(next.last('hello')).toMatchObject({ epoch: 'e', after: 6 })
  const server = new Y.Doc()
  for (const { update } of next.all('submit')) Y.applyUpdate(server, update)
  expect(server.getText('other').toString()).toBe('while loading')
  expect(Y.decodeUpdate(next.last('submit')!.update).structs.length).toBeGreaterThan(0)
  for (const { id } of next.all('submit')) next.receive({ type: 'ack', id, seq: 6 + id })
  expect(second.provider.hasUnacknowledgedChanges).toBe(false)
  await second.provider.flushOffline()
  const third = world({ offline: true })
  await third.provider.whenLoaded
  expect(third.provider.hasUnacknowledgedChanges).toBe(false)
  expect(text(third.doc)).toBe('room acknowledged offline')
  for (const one of [first, second]) one.provider.destroy()
  await third.provider.clearOffline()
  third.provider.destroy()
  const fourth = world({ offline: true })
  await fourth.provider.whenLoaded
  expect(text(fourth.doc)).toBe('')
  fourth.provider.destroy()
})

test('an update that waits for another one is stored too, and the number with it', async () => {
  const author = new Y.Doc()
  const one = edit('one', author)
  const two = edit('two', author)
  const first = world({ offline: true }, new Y.Doc())
  await first.provider.whenLoaded
  const s = await first.welcome()
  s.receive({ type: 'broadcast', seq: 1, update: two }) // cannot be integrated yet
  await first.provider.flushOffline()
  first.provider.destroy()
  await settle()
  const second = world({ offline: true })
  await second.provider.whenLoaded
  const next = await second.welcome()
  expect(next.last('hello')).toMatchObject({ after: 1 })
  next.receive({ type: 'broadcast', seq: 2, update: one })
  expect(text(second.doc)).toBe('onetwo')
  await second.provider.clearOffline()
  second.provider.destroy()
})

test('many stored updates become one', async () => {
  const w = world({ offline: true, connect: false })
  await w.provider.whenLoaded
  for (let n = 0; n < 900; n++) {
    w.doc.getText('t').insert(n, 'x')
    if (n % 100 === 0) await w.provider.flushOffline()
  }
  await w.provider.flushOffline()
  w.provider.destroy()
  const next = world({ offline: true, connect: false })
  await next.provider.whenLoaded
  expect(text(next.doc)).toBe('x'.repeat(900))
  expect(next.provider.hasUnacknowledgedChanges).toBe(true)
  await next.provider.clearOffline()
  next.provider.destroy()
})

test('P2: two deployments on one origin never share a database', () => {
  const names = [['wss://a/dev', 'b/c'], ['wss://a/dev/b', 'c'], ['wss://a/dev', 'b'], ['wss://a/prod', 'b'], ['wss://a/dev","b', 'c']]
    .map(([server, room]) => databaseName(server!, room!))
  expect(new Set(names).size).toBe(names.length)
})

test('without IndexedDB the provider says so and works', async () => {
  vi.stubGlobal('indexedDB', undefined)
  const w = world({ offline: true })
  await w.provider.whenLoaded
  expect(w.problems).toHaveLength(1)
  await w.welcome()
  expect(w.provider.synced).toBe(true)
  w.provider.destroy()
})
