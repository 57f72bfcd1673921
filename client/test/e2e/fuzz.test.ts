// P21, P22, N4, N6, N7: many clients on the real server, in bad weather.

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { SymphonyProvider } from '../../src'
import type { SocketLike } from '../../src/provider'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { FakeLocks } from '../unit/locks'
import { chaosSocket, type Weather } from './chaos'
import { type Event, violations } from './history'
import { random, type Random, seed } from './random'

/** How long the weather is bad. Longer by night: SYMPHONY_FUZZ_MS=600000. */
const FUZZ_MS = Number(process.env.SYMPHONY_FUZZ_MS ?? 6_000)
const SETTLE_MS = 60_000

let server: LocalServer
beforeAll(async () => {
  // Connections end young, messages overtake each other, goodbyes get lost, functions die at work.
  server = await startLocalServer({
    args: ['--gateway-shuffle', '--gateway-drop-disconnect', '0.3', '--gateway-kill', '0.05', '--gateway-seed', String(seed % 1000 + 1), '--gateway-idle', '4s', '--gateway-lifetime', '6s', '--checkpoint', '1s']
  })
})
afterAll(async () => { await server.stop() })

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** A client that edits and writes down what happened. */
class Member {
  readonly doc = new Y.Doc()
  readonly sockets = new Set<SocketLike & { cut (): void }>()
  readonly provider: SymphonyProvider
  #made = 0

  /** @param browser shares the connection of the others with the same; '' for one of its own */
  constructor (readonly name: string, room: string, weather: Weather, readonly r: Random, readonly history: Event[], browser = '') {
    this.provider = new SymphonyProvider(server.ws, room, this.doc, {
      WebSocketPolyfill: chaosSocket(weather, r, this.sockets),
      ...(browser === '' ? { disableBc: true } : { shareConnection: true, params: { browser } }),
      random: r.next,
      times: {
        // The gateway ends it after 6 s; for N7 there is time for two killed hellos on the next one.
        lifetime: 5_000, ...(name.startsWith('n7') ? { renewBefore: 3_500, renewJitter: 500 } : { renewBefore: 1_000, renewJitter: 1_500 }),
        retire: 300, keepAlive: 1_500, probeQuiet: 500,
        ackTimeout: name === 'newcomer' || name.startsWith('n7') ? 30_000 : 1_000, gapPatience: 100, backoffBase: 50, backoffMax: 400
      }
    })
    this.provider.on('sync-status', ({ hasUnacknowledgedChanges }) => {
      if (!hasUnacknowledgedChanges) history.push({ client: name, type: 'acknowledged' })
    })
  }

  edit (size = 0): void {
    const mark = `${this.name}.${this.#made++}`
    this.history.push({ client: this.name, type: 'made', mark })
    this.doc.transact(() => {
      this.doc.getMap('marks').set(mark, 'x'.repeat(size))
      const text = this.doc.getText('t')
      const at = this.r.below(text.length + 1)
      if (text.length - at > 4 && this.r.chance(0.4)) text.delete(at, 1 + this.r.below(4))
      else text.insert(at, mark)
    })
  }

  read (): void {
    this.history.push({ client: this.name, type: 'read', marks: [...this.doc.getMap('marks').keys()] })
  }

  get settled (): boolean {
    return this.provider.synced && !this.provider.hasUnacknowledgedChanges && this.provider.connection.sequence.gap() === null
  }

  content (): string {
    const marks = Object.entries(this.doc.getMap<string>('marks').toJSON()).map(([mark, value]) => `${mark}:${(value as string).length}`).sort()
    return JSON.stringify([marks, this.doc.getText('t').toString()])
  }

  end (): void {
    this.history.push({ client: this.name, type: 'end', marks: [...this.doc.getMap('marks').keys()], content: this.content(), settled: this.settled })
    this.provider.destroy()
  }

  /** As a closed laptop without a battery. */
  die (): void {
    this.history.push({ client: this.name, type: 'died' })
    for (const socket of this.sockets) socket.cut()
    const { outbox } = this.provider.connection
    outbox.clear()
    Object.defineProperty(outbox, 'size', { value: 1 }) // nothing is under way, and nobody knows
    this.provider.destroy()
  }
}

interface Plan {
  room: string
  weather: Weather
  ms: number
  /** The members are tabs of these browsers. */
  browsers?: string[]
  /** How long they may take to agree once the weather is clear. */
  settle?: number
  /** Things to do besides editing, by chance each round. */
  events: (members: Member[], r: Random) => Promise<void>
}

/** Runs a plan, clears the weather, and returns the history. */
async function run ({ room, weather, ms, browsers = [''], settle = SETTLE_MS, events }: Plan): Promise<Event[]> {
  const r = random(seed)
  const history: Event[] = []
  let born = 0
  const join = (): Member => new Member(`c${born}`, room, weather, r, history, browsers[born++ % browsers.length])
  const members = Array.from({ length: 4 }, join)
  for (const until = Date.now() + ms; Date.now() < until;) {
    const member = members[r.below(members.length)]!
    if (r.chance(0.7)) member.edit(r.chance(0.02) ? 40_000 : 0)
    else if (r.chance(0.5)) member.read()
    await events(members, r)
    while (members.length < 4) members.push(join())
    await sleep(r.below(30))
  }
  Object.assign(weather, { drop: 0, double: 0, delay: 0 })
  for (const member of members) member.provider.connect()
  for (const until = Date.now() + settle; Date.now() < until;) {
    const contents = new Set(members.map(member => member.content()))
    if (contents.size === 1 && members.every(member => member.settled)) break
    await sleep(50)
  }
  const newcomer = new Member('newcomer', room, { drop: 0, double: 0, delay: 0 }, r, history)
  for (const until = Date.now() + SETTLE_MS; !newcomer.settled && Date.now() < until;) await sleep(20)
  // What a dead tab had told only the others is compared, and stored, when their connection is next replaced.
  const patience = settle < SETTLE_MS ? 0 : settle
  for (const until = Date.now() + patience; Date.now() < until && members.some(member => member.content() !== newcomer.content());) await sleep(50)
  newcomer.end()
  for (const member of members) member.end()
  return history
}

test('all converge; nothing acknowledged is lost; nothing is lost while its author lives', async () => {
  let killed = false
  const started = Date.now()
  const history = await run({
    room: `storm-${seed}`,
    weather: { drop: 0.05, double: 0.05, delay: 200 },
    ms: FUZZ_MS,
    events: async (members, r) => {
      const member = members[r.below(members.length)]!
      if (r.chance(0.02)) for (const socket of member.sockets) socket.cut()
      if (r.chance(0.02)) {
        member.provider.disconnect()
        setTimeout(() => { member.provider.connect() }, r.below(800))
      }
      if (r.chance(0.01)) {
        member.die()
        members.splice(members.indexOf(member), 1)
      }
      if (!killed && Date.now() - started > FUZZ_MS / 2) {
        killed = true
        await server.kill()
        for (const one of members) one.edit()
        await server.restart()
      }
    }
  })
  expect(killed).toBe(true)
  expect(history.filter(({ type }) => type === 'made').length).toBeGreaterThan(50)
  expect(history.filter(({ type }) => type === 'acknowledged').length).toBeGreaterThan(5)
  expect(violations(history), `seed ${seed}`).toEqual([])
})

test('the same for tabs that share a connection: it goes from one to the other, and nothing is lost', async () => {
  const locks = new FakeLocks()
  vi.stubGlobal('navigator', { locks })
  let leaders = 0
  let most = 0
  const history = await run({
    room: `tabs-${seed}`,
    weather: { drop: 0.03, double: 0.05, delay: 100 },
    ms: FUZZ_MS * 2 / 3,
    browsers: ['a', 'a', 'b'],
    events: async (members, r) => {
      const member = members[r.below(members.length)]!
      most = Math.max(most, members.filter(({ sockets }) => sockets.size > 0).length)
      if (r.chance(0.02)) for (const socket of member.sockets) socket.cut()
      if (r.chance(0.03)) {
        if (member.sockets.size > 0) leaders++
        member.provider.disconnect()
        setTimeout(() => { member.provider.connect() }, r.below(500))
      }
      if (r.chance(0.01)) {
        member.die()
        members.splice(members.indexOf(member), 1)
      }
    }
  })
  vi.unstubAllGlobals()
  console.log(`${leaders} leaders left, at most ${most} had sockets at once`)
  expect(history.filter(({ type }) => type === 'acknowledged').length).toBeGreaterThan(5)
  expect(violations(history), `seed ${seed}`).toEqual([])
  await expect.poll(() => locks.held, { timeout: SETTLE_MS }).toEqual([])
})

// 'none' is the control: the same plan find nothing in a healthy client.
test.each(['none', 'ack before persist', 'skip a broadcast', 'forget the outbox'] as const)('the checker finds the mutant: %s', async mutant => {
  const history = await run({
    room: `${mutant}-${seed}`,
    weather: { drop: 0, double: 0, delay: 20, ...(mutant === 'ack before persist' || mutant === 'skip a broadcast' ? { mutant } : {}) },
    ms: 2_000,
    settle: mutant === 'none' ? SETTLE_MS : 2_000, // mutants never will
    events: async (members, r) => {
      if ((mutant !== 'forget the outbox' && mutant !== 'none') || !r.chance(0.1)) return
      const member = members[r.below(members.length)]!
      member.edit()
      for (const socket of member.sockets) socket.cut()
      if (mutant === 'forget the outbox') member.provider.connection.outbox.clear()
    }
  })
  const found = violations(history)
  console.log(`${mutant}: ${found.length} violations, the first: ${found[0]}`)
  if (mutant === 'none') expect(found).toEqual([])
  else expect(found).not.toEqual([])
})

test('the checker itself: a good history has no violations, each kind of bad one has', () => {
  const good: Event[] = [
    { client: 'a', type: 'made', mark: '1' }, { client: 'a', type: 'read', marks: ['1'] }, { client: 'a', type: 'acknowledged' },
    { client: 'b', type: 'made', mark: '2' }, { client: 'b', type: 'died' },
    { client: 'a', type: 'end', marks: ['1'], content: 'x', settled: true }
  ]
  expect(violations(good)).toEqual([])
  const end: Event = { client: 'c', type: 'end', marks: [], content: 'y', settled: false }
  expect(violations([...good, end]).join()).toMatch(/never settled.*converged.*acknowledged 1.*a lives/)
  expect(violations([good[0]!, { client: 'a', type: 'read', marks: [] }, ...good.slice(1)]).join()).toMatch(/own write/)
  expect(violations([])).toEqual(['nobody was there in the end'])
})

test('N7: the lifetime passes again and again with no status change and no lost edit', async () => {
  const history: Event[] = []
  const r = random(seed)
  const member = new Member('n7', `n7-${seed}`, { drop: 0, double: 0, delay: 0 }, r, history)
  await expect.poll(() => member.provider.synced, { timeout: SETTLE_MS }).toBe(true)
  const changes: string[] = []
  member.provider.on('status', ({ status }) => changes.push(status))
  member.provider.on('sync', synced => changes.push(String(synced)))
  const connections = new Set<string>()
  for (const until = Date.now() + SETTLE_MS; Date.now() < until && connections.size < 3;) {
    connections.add(member.provider.connection.id)
    member.edit()
    await sleep(50)
  }
  expect(connections.size).toBe(3)
  await expect.poll(() => member.settled, { timeout: SETTLE_MS }).toBe(true)
  expect(changes).toEqual([])
  const reader = new Member('n7-reader', `n7-${seed}`, { drop: 0, double: 0, delay: 0 }, r, history)
  await expect.poll(() => reader.settled, { timeout: SETTLE_MS }).toBe(true)
  expect(reader.content()).toBe(member.content())
  member.end()
  reader.end()
  expect(violations(history)).toEqual([])
})
