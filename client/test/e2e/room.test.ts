// Rooms on the real local server.

import 'fake-indexeddb/auto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Room, SymphonyClient, type SymphonyClientOptions } from '../../src'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { random, seed } from './random'

let server: LocalServer
const clients: SymphonyClient[] = []
beforeAll(async () => { server = await startLocalServer() })
afterAll(async () => {
  await Promise.all(clients.map(async client => { await client.destroy() }))
  await server.stop()
})

function person (options: SymphonyClientOptions = {}, url = server.ws): SymphonyClient {
  const client = new SymphonyClient(url, { WebSocketPolyfill: WebSocket as never, disableBc: true, maxBackoffTime: 500, ...options })
  clients.push(client)
  return client
}

async function until (what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 90_000, interval: 5 }).toBe(true)
}

const synced = async (...rooms: Room[]): Promise<void> => { await Promise.all(rooms.map(async room => { await room.whenSynced() })) }

test('P10, P11, P14, P18, P19: values, moves and undo between two people', async () => {
  const [a, b] = [person().enter('values'), person().enter('values')]
  const [mine, theirs] = [a.newList<any>('todos'), b.newList<any>('todos')]
  await synced(a, b)
  mine.push({ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 })
  await until(() => theirs.length === 4)
  a.disconnect()
  mine.move(0, 3)
  theirs.move(0, 2)
  theirs.get(2).set('edited', true)
  await b.whenSaved()
  a.connect()
  await until(() => JSON.stringify(mine) === JSON.stringify(theirs) && a.isSaved && mine.toJSON().some(item => item.edited))
  expect(mine.toJSON().map(({ n }) => n as number).toSorted()).toEqual([0, 1, 2, 3])
  while (a.history.undo());
  await a.whenSaved()
  await until(() => theirs.length === 0)
  expect([mine.toJSON(), b.history.canUndo()]).toEqual([[], true])
})

test('P3, P6, P8: presence, and peers see who leaves at once', async () => {
  const alice = person()
  const a = alice.enter<{ name: string }>('presence', { initialPresence: { name: 'Alice' } })
  // What only a time-out would notice is not noticed in this test's time.
  const b = person({ times: { presenceTimeout: 3_600_000 } }).enter<{ name: string }>('presence', { initialPresence: { name: 'Bob' } })
  await until(() => b.getOthers().some(other => other.presence.name === 'Alice') && a.getOthers().length === 1)
  a.updatePresence({ name: 'Alicia' })
  await until(() => b.getOthers()[0]?.presence.name === 'Alicia')
  let gone = 0
  const left = performance.now()
  b.subscribe('others', others => { if (others.length === 0) gone = performance.now() })
  await alice.leave('presence')
  await until(() => gone > 0)
  console.log(`P3: gone after ${Math.round(gone - left)} ms`)
})

test('P3, P20: offline changes outlive the page, and leaving leaves no database open', async () => {
  const first = person({ offline: true })
  const room = first.enter('offline')
  await synced(room)
  const list = room.newList<number>('l')
  list.push(1)
  await room.whenSaved()
  room.disconnect()
  list.push(2)
  list.move(1, 0)
  room.newMap<any>('m').set('offline', { yes: [true] })
  await first.leave('offline') // the page is closed without ever coming back
  const second = person({ offline: true, connect: false })
  const reloaded = second.enter('offline')
  await reloaded.provider.whenLoaded
  expect([reloaded.newList('l').toJSON(), reloaded.newMap('m').toJSON()]).toEqual([[2, 1], { offline: { yes: [true] } }])
  const other = person().enter('offline')
  await synced(other)
  expect(other.newList('l').toJSON(), 'nobody has it yet').toEqual([1])
  reloaded.connect()
  await until(() => JSON.stringify([other.newList('l'), other.newMap('m')]) === '[[2,1],{"offline":{"yes":[true]}}]')
  await reloaded.whenSaved()
  await second.leave('offline')
  for (const { name } of await indexedDB.databases()) {
    const blocked = await new Promise(resolve => {
      const request = indexedDB.deleteDatabase(name!)
      request.onblocked = () => { resolve(true) }
      request.onsuccess = () => { resolve(false) }
    })
    expect(blocked, `${name} is still open`).toBe(false)
  }
})

test('P2: two deployments on one origin never mix offline data', async () => {
  const here = person({ offline: true })
  const room = here.enter('same name')
  await synced(room)
  room.newList('l').push('here')
  await room.whenSaved()
  await here.leave('same name')
  for (const url of [server.ws.replace('/dev', '/prod'), server.ws.replace('127.0.0.1', 'localhost')]) {
    const other = person({ offline: true, connect: false }, url).enter('same name')
    await other.provider.whenLoaded
    expect(other.newList('l').toJSON(), url).toEqual([])
  }
})

test('P22: who joins while others write sees every change that was acknowledged', async () => {
  const r = random(seed)
  const writers = Array.from({ length: 3 }, () => person({ times: { merge: 1 } }).enter('busy'))
  await synced(...writers)
  const saved = new Set<string>()
  let stop = false
  const writing = writers.map(async (room, who) => {
    for (let n = 0; !stop; n++) {
      const id = `${who}-${n}`
      room.newMap<any>('m').set(id, { n })
      await room.whenSaved()
      saved.add(id)
    }
  })
  for (let n = 0; n < 15; n++) {
    const size = saved.size
    await until(() => saved.size > size + r.below(5))
    const before = [...saved]
    const joiner = person()
    const room = joiner.enter('busy')
    await room.whenSynced()
    const there = room.newMap('m')
    for (const id of before) expect(there.has(id), `${id} of ${before.length}`).toBe(true)
    await joiner.destroy()
  }
  stop = true
  await Promise.all(writing)
})

test('broadcast reaches the others once, and is not stored', async () => {
  const [a, b, c] = [person().enter('events'), person().enter('events'), person().enter('events')]
  await synced(a, b, c)
  const heard: unknown[] = []
  for (const room of [a, b, c]) room.subscribe('broadcast', (event, from) => { heard.push([room === a ? 'a' : room === b ? 'b' : 'c', event, from.clientId]) })
  expect(a.broadcast({ type: 'confetti', colours: ['red'] })).toBe(true)
  await until(() => heard.length === 2)
  expect(heard.toSorted()).toEqual(['b', 'c'].map(who => [who, { type: 'confetti', colours: ['red'] }, a.getClientId()]))
  const late = person().enter('events')
  late.subscribe('broadcast', event => { heard.push(event) })
  await synced(late)
  c.broadcast('again')
  await until(() => heard.length === 5)
  expect(heard.slice(2).filter(event => event === 'again')).toEqual(['again'])
})
