// Several tabs, one connection.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as decoding from 'lib0/decoding'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { SymphonyProviderOptions } from '../../src'
import { type FakeSocket, settle } from '../../src/testing'
import { FakeLocks } from './locks'
import { edit, NONE, WELCOME, world, type World } from './world'

let locks: FakeLocks
let rooms = 0
const open: World[] = []
beforeEach(() => {
  locks = new FakeLocks()
  rooms++
  vi.stubGlobal('navigator', { locks })
})
afterEach(async () => {
  const tabs = open.splice(0)
  for (const w of tabs) {
    w.provider.destroy()
    w.doc.destroy()
  }
  await expect.poll(() => locks.held, { timeout: 90_000, interval: 3 }).toEqual([])
  for (const w of tabs) expect(w.clock.pending).toBe(0)
  vi.unstubAllGlobals()
})

const text = (w: World): string => w.doc.getText('t').toString()
const type = (w: World, text: string): void => { w.doc.getText('t').insert(w.doc.getText('t').length, text) }
/** Lets BroadcastChannel, locks and imports have their turns. */
async function turns (n = 5): Promise<void> {
  for (let at = 0; at < n; at++) {
    // What was posted before this has been received after it.
    const [from, to] = [new BroadcastChannel('turn'), new BroadcastChannel('turn')]
    await new Promise(resolve => {
      to.onmessage = resolve
      from.postMessage('turn')
    })
    from.close()
    to.close()
    await new Promise(resolve => setTimeout(resolve, 1))
    await settle()
  }
}
async function until (what: () => boolean, why = ''): Promise<void> {
  await expect.poll(what, { timeout: 90_000, interval: 3, message: why }).toBe(true)
}

/** Time goes by for one tab, with turns for what is said in it. */
async function pass (w: World, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 1000) {
    await w.clock.advance(1000)
    await turns(4)
  }
}

async function tab (options: SymphonyProviderOptions = {}): Promise<World> {
  const w = world({ disableBc: false, shareConnection: true, params: { run: String(rooms) }, ...options })
  open.push(w)
  await turns()
  return w
}

/** The tab with the socket, connected. */
async function leader (options: SymphonyProviderOptions = {}): Promise<{ w: World, s: FakeSocket }> {
  const w = await tab(options)
  await until(() => w.sockets.length === 1, 'the first tab dials')
  return { w, s: await w.welcome({ members: 3, userId: 'u', userName: 'U' }) }
}
async function follower (options: SymphonyProviderOptions = {}): Promise<World> {
  const w = await tab(options)
  await until(() => w.provider.synced, 'the second tab is synced')
  expect(w.sockets).toHaveLength(0)
  return w
}

/** The clients of an awareness update and their states. */
function shown (update: Uint8Array): Map<number, unknown> {
  const states = new Map<number, unknown>()
  const input = decoding.createDecoder(update)
  for (let n = decoding.readVarUint(input); n > 0; n--) {
    const client = decoding.readVarUint(input)
    decoding.readVarUint(input)
    states.set(client, JSON.parse(decoding.readVarString(input)))
  }
  return states
}
/** What a peer sends of itself. */
function presenceOf (clientID: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = clientID
  const awareness = new Awareness(doc)
  awareness.setLocalState({ name: 'peer' }) // nobody takes a first state, clock 0
  const update = encodeAwarenessUpdate(awareness, [clientID])
  awareness.destroy()
  return update
}

test('two tabs, one socket; status, sync and access are right in both', async () => {
  const { w: a, s } = await leader()
  type(a, 'before ')
  const b = await follower()
  expect(a.sockets).toHaveLength(1)
  expect(text(b)).toBe('before ')
  expect(b.events).toEqual(['status:connected', 'sync:true']) // connecting came before anybody could listen
  expect(b.provider.connection.members).toBe(3)
  s.receive({ type: 'broadcast', seq: 1, update: edit('from the room') })
  await until(() => text(b).includes('from the room'))
  expect(b.provider.connection.sequence.last).toBe(1)
  s.end()
  await until(() => !b.provider.wsconnected)
  expect(b.events.slice(2)).toEqual(['close', 'sync:false', 'status:disconnected'])
})

test('an update of a follower counts as acknowledged only when the server says so, and has its number in all tabs', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  const c = await follower()
  type(b, 'mine')
  await until(() => text(a) === 'mine' && text(c) === 'mine')
  expect(a.provider.hasUnacknowledgedChanges).toBe(false)
  await b.clock.advance(50)
  await until(() => s.all('submit').length === 1)
  expect(b.provider.hasUnacknowledgedChanges).toBe(true)
  await turns()
  expect(b.provider.hasUnacknowledgedChanges).toBe(true)
  s.receive({ type: 'ack', id: s.last('submit')!.id, seq: 1 })
  await until(() => !b.provider.hasUnacknowledgedChanges)
  await until(() => [a, b, c].every(w => w.provider.connection.sequence.last === 1), 'all have the number')
  type(a, ' and yours')
  await a.clock.advance(50)
  expect(s.all('submit')).toHaveLength(2)
  expect(s.last('submit')!.id).toBe(1)
  s.receive({ type: 'ack', id: 1, seq: 2 })
  await until(() => [a, b, c].every(w => w.provider.connection.sequence.last === 2))
  for (const w of [a, b, c]) expect(w.problems).toEqual([])
})

test('a refused update of a follower is its own problem', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  type(b, 'bad')
  await b.clock.advance(50)
  await until(() => s.all('submit').length === 1)
  s.receive({ type: 'error', code: 3, id: s.last('submit')!.id, retry: 0, text: 'no update' })
  await until(() => b.problems.length === 1)
  expect(b.problems[0]).toMatchObject({ code: 3 })
  expect(a.problems).toEqual([])
})

test('a large update of a follower is uploaded by the follower', async () => {
  const { s } = await leader()
  const put: number[] = []
  const b = await follower({ fetch: async (_, init) => { put.push((init!.body as Uint8Array).length); return new Response(null, { status: 200 }) } })
  type(b, 'x'.repeat(100_000))
  await b.clock.advance(50)
  await until(() => s.all('uploadRequest').length === 1)
  const { id } = s.last('uploadRequest')!
  s.receive({ type: 'uploadOffer', id, upload: 'u', url: 'https://store.test/', headers: [] })
  await until(() => s.all('uploadCommit').length === 1)
  expect(put).toHaveLength(1)
  expect(s.last('uploadCommit')).toMatchObject({ id, upload: 'u' })
  s.receive({ type: 'ack', id, seq: 1 })
  await until(() => !b.provider.hasUnacknowledgedChanges && b.provider.connection.sequence.last === 1)
})

test('a follower gets ranges whole, also one it asked for, and a probe is answered here', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  const author = new Y.Doc()
  const updates = ['1', '2', '3'].map(char => edit(char, author))
  s.receive({ type: 'broadcast', seq: 3, update: updates[2]! })
  await until(() => b.provider.connection.sequence.gap() !== null)
  await b.clock.advance(250)
  await until(() => s.all('rangeRequest').length === 1)
  expect(s.last('rangeRequest')).toMatchObject({ after: 0, through: 2 })
  s.receive({ type: 'range', after: 0, through: 2, more: true, update: updates[0]! })
  await turns()
  expect(text(b)).toBe('')
  const c = await follower() // in the middle of it
  s.receive({ type: 'range', after: 0, through: 2, more: false, update: updates[1]! })
  await until(() => [a, b, c].every(w => text(w) === '123'))
  expect([a, b, c].map(w => w.provider.connection.sequence.last)).toEqual([3, 3, 2]) // c asks when it is quiet
  const probes = s.all('probe').length
  await pass(c, 20_000)
  expect(s.last('rangeRequest')).toMatchObject({ after: 2, through: 0 })
  s.receive({ type: 'range', after: 2, through: 3, more: false, update: updates[2]! })
  await until(() => c.provider.connection.sequence.last === 3)
  await pass(b, 20_000)
  expect(b.provider.wsconnected).toBe(true)
  expect(s.all('probe')).toHaveLength(probes)
})

test('the leader closes: a follower takes over with no change of status, and nothing is lost', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  const c = await follower()
  type(b, 'under way ')
  await b.clock.advance(50)
  await until(() => s.all('submit').length === 1) // and no answer comes
  const before = [b.events.length, c.events.length]
  a.provider.destroy()
  await until(() => b.sockets.length + c.sockets.length === 1, 'one of them dials')
  const [heir, other] = b.sockets.length === 1 ? [b, c] : [c, b]
  expect(s.closedWith).toBe(1000)
  type(other, 'meanwhile ')
  await other.clock.advance(50)
  const next = await heir.welcome({ members: 2, through: 0, stateVector: Uint8Array.of(0) })
  await until(() => next.all('submit').length > 0)
  await until(() => {
    for (const { id } of next.all('submit')) next.receive({ type: 'ack', id, seq: id % 1000 })
    return !b.provider.hasUnacknowledgedChanges && !c.provider.hasUnacknowledgedChanges
  }, 'both are acknowledged')
  expect(text(b)).toBe(text(c))
  const stored = new Y.Doc()
  for (const { update } of next.all('submit')) Y.applyUpdate(stored, update)
  expect(stored.getText('t').toString()).toBe(text(b))
  expect([b.events.slice(before[0]), c.events.slice(before[1])].flat().filter(event => !event.startsWith('unacknowledged'))).toEqual([])
  expect(b.sockets.length + c.sockets.length).toBe(1)
})

test('a leader that sleeps is left within seconds, and follows when it is awake again', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  const listening = BroadcastChannel.prototype.postMessage
  // The leader says nothing and hears nothing.
  const heard = vi.spyOn(a.provider.connection.receiver, 'receive')
  vi.spyOn(BroadcastChannel.prototype, 'postMessage').mockImplementation(function (this: BroadcastChannel, word: unknown) {
    const { what } = word as { what?: string }
    if (what === 'pong') return // of the leader; b asks for it
    listening.call(this, word)
  })
  await b.clock.advance(5_000) // b asks
  await turns()
  await b.clock.advance(3_000) // and gives up
  await until(() => b.sockets.length === 1, 'the follower dials')
  await b.welcome({ members: 3 })
  vi.mocked(BroadcastChannel.prototype.postMessage).mockRestore()
  await until(() => a.provider.connection.old !== null, 'a uses the connection of b')
  await pass(a, 6_000)
  await until(() => s.closedWith === 1000, 'the old connection is closed')
  expect(a.events.filter(event => event.startsWith('status') || event.startsWith('sync'))).toEqual(['status:connected', 'sync:true'])
  b.socket().receive({ type: 'broadcast', seq: 1, update: edit('through b') })
  await until(() => text(a) === 'through b' && text(b) === 'through b')
  expect(heard).toHaveBeenCalled()
})

test('renewal before two hours reaches the followers without a change of status', async () => {
  const { w: a } = await leader()
  const b = await follower()
  const events = b.events.length
  a.provider.refreshToken('')
  await until(() => a.sockets.length === 2)
  await a.welcome({ through: 4, stateVector: Uint8Array.of(0), update: edit('missed') })
  await until(() => text(b) === 'missed' && b.provider.connection.sequence.last === 4)
  expect(b.events).toHaveLength(events)
})

test('tabs of different users, rooms and servers each have their own connection', async () => {
  const token = (sub: string, exp: number): string => `x.${btoa(JSON.stringify({ sub, exp }))}.x`
  await leader({ token: token('ana', 4_000_000_000) })
  await follower({ token: token('ana', 4_100_000_000) }) // a newer token of hers
  const ben = await tab({ token: token('ben', 4_000_000_000) })
  await until(() => ben.sockets.length === 1)
  const other = await tab({ token: token('ana', 4_000_000_000), params: { run: `${rooms}b` } })
  await until(() => other.sockets.length === 1)
  const alone = await tab({ token: token('ana', 4_000_000_000), shareConnection: false })
  await until(() => alone.sockets.length === 1)
})

test('presence: each tab is itself, to the server too; a leaving page says goodbye for its followers', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  b.provider.awareness.setLocalStateField('name', 'b')
  await b.clock.advance(100)
  await until(() => a.provider.awareness.getStates().get(b.doc.clientID)?.name === 'b')
  await until(() => s.all('tabPresence').some(({ update }) => new TextDecoder().decode(update).includes('"name":"b"')))
  s.receive({ type: 'peerJoined', connection: 'p', client: 7, userId: '', userName: '' })
  await until(() => b.provider.connection.members === 4)
  const goodbyes = (): number => [...s.all('awareness'), ...s.all('tabPresence')].filter(({ update }) => shown(update).get(b.doc.clientID) === null).length
  expect(goodbyes()).toBe(0)
  b.provider.destroy()
  await until(() => goodbyes() > 0, 'the server hears that b has left')
  expect(a.provider.awareness.getStates().has(b.doc.clientID)).toBe(false)
})

test('the server is told whose presence a connection has: of each tab as it shows itself, of all on a new connection', async () => {
  const { w: a, s } = await leader()
  const [b, c] = [await follower(), await follower()]
  const told = (s: FakeSocket): number[][] => s.all('tabPresence').map(({ update }) => [...shown(update).keys()])
  await until(() => told(s).length === 2)
  expect(told(s)).toEqual([[b.doc.clientID], [c.doc.clientID]])
  expect(s.all('awareness').map(({ update }) => [...shown(update).keys()])).toEqual([[a.doc.clientID]])
  // Who is asked answers with all it knows: the connection's presence or not.
  s.receive({ type: 'queryAwareness' })
  await until(() => s.all('awareness').some(({ update }) => shown(update).size === 3))
  expect(told(s)).toHaveLength(2)

  a.provider.refreshToken('')
  await until(() => a.sockets.length === 2)
  const next = await a.welcome({ connection: 'd', stateVector: Uint8Array.of(0) })
  await until(() => told(next).length > 0)
  expect(told(next)[0]).toEqual([b.doc.clientID, c.doc.clientID])
})

test('a tab whose shared connection is gone is gone, but for one that has its own; who is told of itself shows itself anew', async () => {
  const { w: a, s } = await leader()
  const b = await follower()
  const peers = [21, 22]
  for (const client of peers) s.receive({ type: 'awareness', update: presenceOf(client) })
  s.receive({ type: 'peerJoined', connection: 'own', client: 22, userId: '', userName: '' })
  const seen = (w: World): number[] => peers.filter(client => w.provider.awareness.getStates().has(client))
  await until(() => seen(a).length === 2 && seen(b).length === 2)
  const { members } = a.provider.connection
  for (const client of peers) s.receive({ type: 'tabLeft', client })
  await until(() => seen(a).length === 1 && seen(b).length === 1)
  expect([seen(a), seen(b)]).toEqual([[22], [22]])
  expect(a.provider.connection.members, 'a connection is a member, not a tab').toBe(members)

  const before = s.all('tabPresence').length
  s.receive({ type: 'tabLeft', client: b.doc.clientID })
  await until(() => s.all('tabPresence').length > before)
  expect(b.provider.awareness.getLocalState()).not.toBeNull()
})

test('an event reaches every other tab once, whichever sends it', async () => {
  const { w: a, s } = await leader()
  const [b, c] = [await follower(), await follower()]
  const heard: string[] = []
  for (const [name, w] of Object.entries({ a, b, c })) w.provider.on('event', ({ client, data, userId }) => { heard.push(`${name}:${data}:${userId}:${[a, b, c].findIndex(one => one.doc.clientID === client)}`) })
  for (const [w, data] of [[a, '1'], [b, '2']] as const) w.provider.connection.ready!.send({ type: 'event', client: w.doc.clientID, data })
  await until(() => heard.length === 4)
  s.receive({ type: 'peerEvent', connection: 'p', client: 7, userId: 'p', data: '3' })
  await until(() => heard.length === 7)
  await turns()
  expect(heard.sort()).toEqual(['a:2:u:1', 'a:3:p:-1', 'b:1:u:0', 'b:3:p:-1', 'c:1:u:0', 'c:2:u:1', 'c:3:p:-1'])
  expect(s.all('event').map(({ data }) => data)).toEqual(['1', '2'])
})

test('what a reader types stays in the tab: another, whose user may write, would submit it', async () => {
  const reader = await tab({ shareConnection: false })
  await until(() => reader.sockets.length === 1)
  await reader.welcome({ access: 'read' })
  const writer = await tab({ shareConnection: false })
  await until(() => writer.sockets.length === 1)
  const s = await writer.welcome()
  type(reader, 'not mine to write')
  type(writer, 'mine')
  await until(() => text(reader).includes('mine'))
  const late = await tab({ shareConnection: false })
  await until(() => text(late) === 'mine')
  await writer.clock.advance(50)
  expect([text(writer), s.all('submit').length]).toEqual(['mine', 1])
})

test('without Web Locks each tab has its own connection', async () => {
  vi.stubGlobal('navigator', {})
  await leader()
  const b = await tab()
  await until(() => b.sockets.length === 1)
  await b.welcome({ ...WELCOME, update: NONE })
  expect(b.provider.synced).toBe(true)
})
