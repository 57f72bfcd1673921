// Room and SymphonyClient with the test as the server.

import { expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import {
  type Change, IndexError, InvalidValueError, LeftRoomError, ReadOnlyError, RemovedError, type Room, SymphonyClient, type SymphonyClientOptions, Synced, SyncedCounter, SyncedList, SyncedMap, SyncedText,
  TypeClashError
} from '../../../src'
import { FakeClock, type FakeSocket, fakeSockets, settle } from '../../../src/testing'
import { WELCOME } from '../world'
import { offline, wired } from './rooms'

interface Served {
  client: SymphonyClient
  sockets: FakeSocket[]
  clock: FakeClock
  /** Opens the newest socket and welcomes it. */
  welcome: (fields?: object) => Promise<FakeSocket>
}

function served (options: SymphonyClientOptions = {}): Served {
  const clock = new FakeClock()
  const { Socket, sockets } = fakeSockets()
  const client = new SymphonyClient('ws://server.test/dev', { WebSocketPolyfill: Socket, clock, disableBc: true, random: () => 0.5, ...options })
  return {
    client, sockets, clock,
    async welcome (fields = {}) {
      await settle()
      const socket = sockets.at(-1)!
      socket.open()
      socket.receive({ ...WELCOME, ...fields })
      await settle()
      return socket
    }
  }
}

/** Presence of somebody else, as it travels. */
function somebody (clientID: number, state: object | null, clocks = 1): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = clientID
  const awareness = new Awareness(doc)
  for (let n = 1; n < clocks; n++) awareness.setLocalState({ n })
  awareness.setLocalState(state as Record<string, unknown> | null)
  const update = encodeAwarenessUpdate(awareness, [clientID])
  awareness.destroy()
  return update
}

test('P1: every way to write a URL, and a clear error for the others', () => {
  for (const [given, url] of [
    ['ws://a.test/dev', 'ws://a.test/dev'], ['wss://a.test', 'wss://a.test'], ['http://a.test/x/', 'ws://a.test/x'], ['https://a.test/dev', 'wss://a.test/dev'],
    ['a.test/dev', 'wss://a.test/dev'], ['localhost:8787/dev', 'ws://localhost:8787/dev'], ['127.0.0.1:1', 'ws://127.0.0.1:1']
  ] as const) expect(new SymphonyClient(given).url).toBe(url)
  for (const wrong of ['', 'ftp://a.test', 'a b', 'mailto:x']) expect(() => new SymphonyClient(wrong)).toThrow(/Symphony: /)
  expect(() => new SymphonyClient(undefined as never)).toThrow(/first argument/)
  for (const room of ['', 'x'.repeat(257), 7 as never, undefined as never]) expect(() => new SymphonyClient('a.test').enter(room)).toThrow(/room id/)
})

test('P2: entering twice gives one room and one socket, left when it was left twice', async () => {
  const { client, sockets, welcome, clock } = served()
  const room = client.enter('r')
  expect(client.enter('r')).toBe(room)
  expect(client.enter('other')).not.toBe(room)
  await client.leave('other')
  await settle()
  expect(sockets.length).toBe(1)
  await welcome()
  await client.leave('r')
  expect(client.getRooms()).toEqual(['r'])
  expect(room.status).toBe('connected')
  await client.leave('r')
  await client.leave('r') // nothing to leave is no error
  expect([client.getRooms(), room.status, sockets[0]!.closedWith, clock.pending]).toEqual([[], 'disconnected', 1000, 0])
  const again = client.enter('r')
  expect(again).not.toBe(room)
  await client.destroy()
  expect(clock.pending).toBe(0)
})

test('P3: after leave nothing is left, and every use says so', async () => {
  const { client, welcome, clock } = served()
  const room = client.enter('r', { initialPresence: { name: 'Ada' } })
  const list = room.newList('l')
  const map = room.newMap('m')
  const heard = vi.fn()
  room.subscribe(list, heard)
  room.subscribe('others', heard)
  const socket = await welcome()
  list.push(1)
  await client.leave('r')
  expect(socket.last('submit'), 'what waited went out').toBeDefined()
  const goodbye = new Awareness(new Y.Doc())
  applyAwarenessUpdate(goodbye, socket.all('awareness').at(0)!.update, null)
  expect(goodbye.getStates().get(room.getClientId())).toEqual({ name: 'Ada' })
  applyAwarenessUpdate(goodbye, socket.last('awareness')!.update, null)
  expect(goodbye.getStates().has(room.getClientId()), 'it said goodbye').toBe(false)
  goodbye.destroy()
  expect(socket.closedWith).toBe(1000)
  expect(clock.pending).toBe(0)
  for (const use of [() => list.push(2), () => map.set('a', 1), () => room.bundle(() => {}), () => { room.updatePresence({}) }, () => room.subscribe(list, heard), () => room.broadcast(1), () => room.history.undo(), () => { room.connect() }]) {
    expect(use).toThrow(LeftRoomError)
  }
  await expect(room.whenSynced()).rejects.toThrow(LeftRoomError)
  expect(list.toArray(), 'reading is still fine').toEqual([1])
  expect(heard).toHaveBeenCalledTimes(1)
  expect((room.doc as unknown as { _observers: Map<string, Set<unknown>> })._observers.get('update') ?? new Set()).toHaveProperty('size', 0)
})

test('P4, P19: a bundle is one event, one message and one undo step', async () => {
  const { client, welcome, clock } = served()
  const room = client.enter('r', { captureTimeout: 1000 })
  const socket = await welcome()
  const list = room.newList<any>('l')
  const map = room.newMap<any>('m')
  list.push('before')
  const other = offline()
  const [theirList, theirMap] = [other.newList('l'), other.newMap('m')]
  const seen: unknown[] = []
  other.doc.on('afterAllTransactions', () => { seen.push([theirList.toJSON(), theirMap.toJSON()]) })
  await clock.advance(100)
  const heard = vi.fn()
  room.subscribe(list, heard)
  const result = room.bundle(() => {
    for (let n = 0; n < 100; n++) list.push({ n, tags: [n] })
    room.bundle(() => { map.set('count', 100) })
    list.move(0, 100)
    return 'done'
  })
  expect(result).toBe('done')
  expect(heard).toHaveBeenCalledTimes(1)
  await clock.advance(100)
  expect(socket.all('submit').length).toBe(2)
  for (const { update } of socket.all('submit')) Y.applyUpdate(other.doc, update)
  expect(seen).toEqual([[['before'], {}], [list.toJSON(), { count: 100 }]])
  expect(room.history.undo()).toBe(true)
  expect([list.toJSON(), map.toJSON()]).toEqual([['before'], {}])
  room.history.undo()
  expect(list.toJSON()).toEqual([])
  await client.destroy()
})

test('P4: a bundle that throws, or is async, says so', () => {
  const room = offline()
  const list = room.newList('l')
  expect(() => room.bundle(() => { list.push(1); throw new Error('mine') })).toThrow('mine')
  expect(list.toJSON()).toEqual([1])
  expect(() => room.bundle(async () => { list.push(2) })).toThrow(/await/)
  list.push(3)
  expect(list.toJSON()).toEqual([1, 2, 3])
})

test('P19: a loop of pushes is one message', async () => {
  const { client, welcome, clock } = served()
  const list = client.enter('r').newList('l')
  const socket = await welcome()
  for (let n = 0; n < 500; n++) list.push({ n })
  await clock.advance(200)
  expect(socket.all('submit').length).toBe(1)
  await client.destroy()
})

test('P5: ids are stable', async () => {
  const { client, welcome } = served()
  const room = client.enter('r')
  const id = room.getClientId()
  await welcome()
  expect([room.getRoomId(), room.getClientId(), room.getRoomId()]).toEqual(['r', id, 'r'])
  await client.destroy()
})

test('P6, P7, P8: others are everybody but me; own presence fires nothing for others', async () => {
  const { client, welcome } = served()
  const room = client.enter<{ name?: string, cursor?: { x: number, y: number } | null }>('r', { initialPresence: { name: 'Ada' } })
  const others = vi.fn()
  const own = vi.fn()
  room.subscribe('others', others)
  room.subscribe('presence', own)
  expect([room.getOthers(), room.getPresence()]).toEqual([[], { name: 'Ada' }])
  const socket = await welcome({ members: 2 })
  room.updatePresence({ cursor: { x: 1, y: 2 } })
  expect(room.getPresence()).toEqual({ name: 'Ada', cursor: { x: 1, y: 2 } })
  room.updatePresence({ name: undefined, cursor: null })
  expect(room.getPresence()).toEqual({ cursor: null })
  expect(others).not.toHaveBeenCalled()
  expect(own).toHaveBeenCalledTimes(2)
  socket.receive({ type: 'awareness', update: somebody(7, { name: 'Bob' }) })
  expect(room.getOthers()).toEqual([{ clientId: 7, presence: { name: 'Bob' } }])
  expect(others.mock.lastCall![0]).toBe(room.getOthers())
  const before = room.getOthers()
  room.updatePresence({ name: 'Ada' })
  expect(room.getOthers()).toBe(before)
  socket.receive({ type: 'awareness', update: somebody(7, { name: 'Bob' }, 2) })
  expect(others, 'what did not change is no news').toHaveBeenCalledTimes(1)
  socket.receive({ type: 'awareness', update: somebody(7, { name: 'Bobby' }, 3) })
  socket.receive({ type: 'peerLeft', connection: 'x', client: 7 })
  expect([others.mock.calls.length, room.getOthers()]).toEqual([3, []])
  for (const wrong of [{ name: 1n }, { name: NaN }, { cursor: () => 1 }]) expect(() => { room.updatePresence(wrong as never) }).toThrow(InvalidValueError)
  await client.destroy()
})

test('P8: nested changes fire, once for all that comes together, with their paths', () => {
  const { rooms: [a, b], settle } = wired(2)
  const list = a!.newList<any>('l')
  const theirs = b!.newList<any>('l')
  const calls: Array<{ local: boolean, undo: boolean, paths: unknown }> = []
  b!.subscribe(theirs, (item, { local, undo, paths }: Change) => {
    expect(item).toBe(theirs)
    calls.push({ local, undo, paths })
  })
  list.push({ title: 'a', tags: ['x', { deep: 1 }] }, 2)
  settle()
  list.get(0).get('tags').get(1).set('deep', 2)
  settle()
  list.move(0, 1)
  settle()
  theirs.get(1).set('title', 'b')
  b!.history.undo()
  b!.newMap('unrelated').set('x', 1)
  expect(calls).toEqual([
    { local: false, undo: false, paths: [[]] },
    { local: false, undo: false, paths: [[0, 'tags', 1]] },
    { local: false, undo: false, paths: [[]] },
    { local: true, undo: false, paths: [[1]] },
    { local: true, undo: true, paths: [[1]] }
  ])
})

test('P8, P9: subscriptions of nested values, and their ends', () => {
  const room = offline()
  const map = room.newMap<any>('m')
  map.set('list', [1])
  const list: SyncedList = map.get('list')
  const [one, two, whole] = [vi.fn(), vi.fn(), vi.fn()]
  room.subscribe(list, one)
  const stop = room.subscribe(list, two)
  room.subscribe(map, whole)
  list.push(2)
  expect([one, two, whole].map(fn => fn.mock.calls.length)).toEqual([1, 1, 1])
  stop()
  list.push(3)
  expect([one, two, whole].map(fn => fn.mock.calls.length)).toEqual([2, 1, 2])
  room.unsubscribe(list, one)
  list.push(4)
  expect([one, whole].map(fn => fn.mock.calls.length)).toEqual([2, 3])
  room.subscribe(list, one)
  room.subscribe(list, two)
  room.unsubscribe(list)
  list.push(5)
  expect([one, two].map(fn => fn.mock.calls.length)).toEqual([2, 1])
  const others = vi.fn()
  room.subscribe('others', others)
  room.subscribe('others', others)
  applyAwarenessUpdate(room.provider.awareness, somebody(1, {}), null)
  room.unsubscribe('others')
  applyAwarenessUpdate(room.provider.awareness, somebody(2, {}), null)
  expect(others).toHaveBeenCalledTimes(1)
  for (const wrong of ['other', null, undefined, {}, new Y.Array()]) expect(() => room.subscribe(wrong as never, one)).toThrow(/subscribe to a list/)
  expect(() => room.subscribe(list, undefined as never)).toThrow(/function/)
})

test('P8: a callback that throws keeps nobody from hearing, and one that changes something is fine', () => {
  const room = offline()
  const list = room.newList<number>('l')
  const reported = vi.fn()
  vi.stubGlobal('reportError', reported)
  const heard = vi.fn()
  room.subscribe(list, () => { throw new Error('mine') })
  room.subscribe(list, () => { if (list.length < 3) list.push(0) })
  room.subscribe(list, heard)
  list.push(0)
  vi.unstubAllGlobals()
  expect(reported).toHaveBeenCalledTimes(3)
  expect(heard).toHaveBeenCalledTimes(3)
  expect(list.toJSON()).toEqual([0, 0, 0])
})

test('P10: one name is one value, and a clash is a clear error, also for what came from others', () => {
  const { rooms: [a, b], settle } = wired(2)
  const kinds = ['newList', 'newMap', 'newText', 'newCounter'] as const
  const make = (room: Room, kind: typeof kinds[number], name: string): Synced => (room[kind] as (name: string) => Synced)(name)
  const fill = { newList: (r: Room) => { r.newList('newList').push(1) }, newMap: (r: Room) => { r.newMap('newMap').set('a', 1) }, newText: (r: Room) => { r.newText('newText').append('x') }, newCounter: (r: Room) => { r.newCounter('newCounter').increment() } }
  for (const kind of kinds) {
    fill[kind](a!)
    expect(make(a!, kind, kind)).toBe(make(a!, kind, kind))
  }
  settle()
  for (const room of [a!, b!]) {
    for (const is of kinds) for (const wanted of kinds) if (is !== wanted) expect(() => make(room, wanted, is), `${is} as ${wanted}`).toThrow(TypeClashError)
    for (const kind of kinds) expect(make(room, kind, kind).toJSON()).toEqual({ newList: [1], newMap: { a: 1 }, newText: 'x', newCounter: 1 }[kind])
  }
  expect(() => a!.newMap('newList')).toThrow('"newList" is a list in this room and cannot be a map too')
  expect(() => a!.newList(7 as never)).toThrow(InvalidValueError)
})

test('P11: nested values have everything, before and after they are put somewhere', () => {
  const room = offline()
  const todo = room.newNestedMap<any>({ title: 'a' })
  const tags = room.newNestedList<any>(['x'])
  const text = room.newNestedText('hello')
  const count = room.newNestedCounter(2)
  expect([todo.toJSON(), tags.toJSON(), text.toJSON(), count.value]).toEqual([{ title: 'a' }, ['x'], 'hello', 2])
  tags.push('y')
  tags.move(0, 1)
  todo.set('tags', tags).set('text', text).set('count', count)
  expect(todo.get('tags')).toBe(tags)
  tags.unshift('z')
  const list = room.newList<any>('todos')
  list.push(todo)
  expect(list.get(0)).toBe(todo)
  tags.push({ deep: [1] })
  text.append('!')
  count.increment(40)
  expect(list.toJSON()).toEqual([{ title: 'a', tags: ['z', 'y', 'x', { deep: [1] }], text: 'hello!', count: 42 }])
  for (const value of [todo, tags, list, text]) expect(() => list.push(value)).toThrow(/copy\(\)/)
  const twice = room.newNestedList()
  expect(() => list.push(twice, twice)).toThrow(/copy\(\)/)
  expect(() => twice.push(twice)).toThrow(/copy\(\)/)
  list.push(todo.copy())
  expect(list.toJSON()[1]).toEqual(list.toJSON()[0])
  expect([list.get(1).get('text'), list.get(1).get('count')].map(one => one.constructor)).toEqual([SyncedText, SyncedCounter])
  list.get(1).set('title', 'b')
  expect(list.get(0).get('title')).toBe('a')
})

test('P11: what was taken out says so, and an undo brings it back', () => {
  const room = offline()
  const list = room.newList<any>('l')
  list.push({ n: 1, tags: [] })
  const item: SyncedMap<any> = list.get(0)
  const tags: SyncedList = item.get('tags')
  const heard = vi.fn()
  room.subscribe(item, heard)
  list.delete(0)
  expect([item.isAttached, tags.isAttached]).toEqual([false, false])
  expect(() => item.set('n', 2)).toThrow(RemovedError)
  expect(() => tags.push(1)).toThrow(RemovedError)
  room.history.undo()
  expect([item.isAttached, list.get(0) === item, tags.isAttached]).toEqual([true, true, true])
  tags.push('back')
  item.set('n', 2)
  expect(list.toJSON()).toEqual([{ n: 2, tags: ['back'] }])
  expect(heard.mock.calls.length).toBeGreaterThanOrEqual(2)
})

test('P18: a counter adds up, and undo takes only mine', () => {
  const { rooms: [a, b], settle } = wired(2)
  const [mine, theirs] = [a!.newCounter('c'), b!.newCounter('c')]
  expect(mine.increment()).toBe(1)
  theirs.increment(10)
  settle()
  expect([mine.value, theirs.decrement(0.5)]).toEqual([11, 10.5])
  settle()
  a!.history.undo()
  settle()
  expect([mine.value, theirs.value, JSON.stringify(mine)]).toEqual([9.5, 9.5, '9.5'])
  for (const wrong of [NaN, Infinity, '1', 1n, null]) expect(() => mine.increment(wrong as never)).toThrow(InvalidValueError)
  expect(() => a!.newMap<any>('m').set('$counter', 1)).toThrow(/reserved/)
})

test('texts', () => {
  const { rooms: [a, b], settle } = wired(2)
  const [mine, theirs] = [a!.newText('t'), b!.newText('t')]
  mine.insert(0, 'Hello world')
  mine.format(0, 5, { bold: true })
  settle()
  mine.delete(5, 6)
  theirs.append('!', { bold: null })
  settle()
  expect(mine.toDelta()).toEqual([{ insert: 'Hello', attributes: { bold: true } }, { insert: '!' }])
  expect(theirs.toDelta()).toEqual(mine.toDelta())
  mine.replace(0, 5, 'Bye\ud800')
  settle()
  expect([`${mine}`, `${theirs}`]).toEqual(['Bye\ufffd!', 'Bye\ufffd!']) // half of a pair is no text
  for (const [index, count] of [[-1, 1], [0, 6], [6, 1], [0.5, 1], [NaN, 1], [0, -1]]) expect(() => { mine.delete(index!, count) }).toThrow(IndexError)
  for (const index of [-1, 6, 0.5]) expect(() => { mine.insert(index, 'x') }).toThrow(IndexError)
  expect(() => { mine.insert(0, 7 as never) }).toThrow(InvalidValueError)
  expect(() => { mine.insert(0, 'x', { bold: undefined as never }) }).toThrow(InvalidValueError)
  mine.clear()
  expect(mine.length).toBe(0)
})

test('half of a surrogate pair becomes the same for everybody, in values and keys', () => {
  const { rooms: [a, b], settle } = wired(2)
  a!.newMap<any>('m').set('\ud800', ['x\udc00', { '\ud83d': '\ud83d\ude00' }])
  settle()
  expect(b!.newMap('m').toJSON()).toEqual({ '\ufffd': ['x\ufffd', { '\ufffd': '😀' }] })
  expect(a!.newMap('m').toJSON()).toEqual(b!.newMap('m').toJSON())
})

test('toImmutable is the same object until something in it changes', () => {
  const room = offline()
  const list = room.newList<any>('l')
  list.push({ a: [1] }, { b: 2 })
  const before = list.toImmutable() as any
  expect(list.toImmutable()).toBe(before)
  expect(Object.isFrozen(before[0].a)).toBe(true)
  room.bundle(() => {
    list.get(0).get('a').push(2)
    expect(list.toImmutable(), 'also within a bundle').toEqual([{ a: [1, 2] }, { b: 2 }])
  })
  const after = list.toImmutable() as any
  expect([before[0].a, after[0].a, after[1] === before[1]]).toEqual([[1], [1, 2], true])
  expect(list.toJSON()).not.toBe(list.toJSON())
})

test('a reader may not change anything, and is told', async () => {
  const { client, welcome } = served()
  const room = client.enter('r')
  const access = vi.fn()
  room.subscribe('access', access)
  expect(room.isReadOnly).toBe(false)
  await welcome({ access: 'read' })
  expect([room.isReadOnly, access.mock.calls]).toEqual([true, [[true]]])
  expect(() => room.newList('l').push(1)).toThrow(ReadOnlyError)
  expect(() => room.newCounter('c').increment()).toThrow(ReadOnlyError)
  expect(() => room.broadcast(1)).toThrow(ReadOnlyError)
  expect(room.newList('l').length).toBe(0)
  room.updatePresence({ name: 'still here' })
  await client.destroy()
})

test('broadcast: once, to the others, and not without a connection', async () => {
  const { client, welcome } = served()
  const room = client.enter<{}, { type: string }>('r')
  const heard = vi.fn()
  room.subscribe('broadcast', heard)
  expect(room.broadcast({ type: 'early' })).toBe(false)
  const socket = await welcome()
  expect(room.broadcast({ type: 'confetti' })).toBe(true)
  expect(socket.all('event')).toEqual([{ type: 'event', client: room.getClientId(), data: '{"type":"confetti"}' }])
  expect(heard).not.toHaveBeenCalled()
  socket.receive({ type: 'peerEvent', connection: 'c', client: 7, userId: 'bob', data: '{"type":"hi"}' })
  socket.receive({ type: 'peerEvent', connection: 'c', client: 7, userId: 'bob', data: 'not JSON' })
  expect(heard.mock.calls).toEqual([[{ type: 'hi' }, { clientId: 7, userId: 'bob' }]])
  expect(() => room.broadcast({ type: 'x'.repeat(24_000) })).toThrow(InvalidValueError)
  expect(() => room.broadcast({ type: 1n } as never)).toThrow(InvalidValueError)
  await client.destroy()
})

test('status, synced and saved', async () => {
  const { client, welcome, clock } = served()
  const room = client.enter('r')
  const events: unknown[] = []
  for (const topic of ['status', 'synced', 'saved'] as const) room.subscribe(topic, ((value: unknown) => { events.push(value) }) as never)
  const synced = room.whenSynced()
  expect([room.status, room.isSynced, room.isSaved]).toEqual(['connecting', false, true])
  const socket = await welcome()
  await synced
  room.newList('l').push(1)
  let saved = false
  void room.whenSaved().then(() => { saved = true })
  await clock.advance(100)
  expect([saved, room.isSaved]).toEqual([false, false])
  socket.receive({ type: 'ack', id: socket.last('submit')!.id, seq: 1 })
  await settle()
  expect([saved, room.isSaved]).toEqual([true, true])
  room.disconnect()
  expect(events).toEqual(['connected', true, false, true, false, 'disconnected'])
  const never = room.whenSynced()
  await client.destroy()
  await expect(never).rejects.toThrow(LeftRoomError)
})
