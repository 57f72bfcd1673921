// How long shared lists take, by their length: `npm run build && node scripts/bench-rooms.mjs`. The table in docs/ROOMS.md.

import * as Y from 'yjs'
import { SymphonyClient } from '../dist/index.js'

const SIZES = [1_000, 10_000]

/** Each gets a room with a list of n objects and returns what is timed. */
const CASES = {
  'push one by one': (room, n) => {
    const list = room.newList('empty')
    return () => { for (let i = 0; i < n; i++) list.push({ id: i, text: `item ${i}` }) }
  },
  'push all in one bundle': (room, n) => {
    const list = room.newList('empty')
    return () => room.bundle(() => { for (let i = 0; i < n; i++) list.push({ id: i, text: `item ${i}` }) })
  },
  'push and read the length each time': (room, n) => {
    const list = room.newList('empty')
    return () => { for (let i = 0; i < n; i++) if (list.push(i) !== i + 1) throw new Error('wrong length') }
  },
  'get every index': (_, n, list) => () => { for (let i = 0; i < n; i++) list.get(i) },
  toArray: (_, __, list) => () => { list.toArray() },
  'change one, toImmutable': (_, n, list) => {
    list.toImmutable()
    return () => {
      list.get(n >> 1).set('text', 'changed')
      list.toImmutable()
    }
  },
  'change each, subscribed, one bundle, with paths': (room, n, list) => {
    room.subscribe(list, (_, { paths }) => { if (paths.length !== n) throw new Error('paths missing') })
    return () => room.bundle(() => { list.forEach(item => { item.set('text', 'changed') }) })
  },
  'move the first to the end': (_, n, list) => () => { list.move(0, n - 1) },
  'move 100 times in a bundle': (room, n, list) => () => room.bundle(() => { for (let i = 0; i < 100; i++) list.move(i * 7 % n, i * 13 % n) }),
  'undo of a bundle that filled it': (room, _, list) => () => { room.history.undo() }
}

const rows = []
for (const [name, prepare] of Object.entries(CASES)) {
  const times = []
  for (const n of SIZES) {
    let best = Infinity
    for (let run = 0; run < 3; run++) {
      const client = new SymphonyClient('ws://nowhere.test', { connect: false, disableBc: true })
      const room = client.enter('bench')
      const list = room.newList('list')
      room.bundle(() => { for (let i = 0; i < n; i++) list.push({ id: i, text: `item ${i}` }) })
      const work = prepare(room, n, list)
      const begin = performance.now()
      work()
      best = Math.min(best, performance.now() - begin)
      await client.destroy()
    }
    times.push(best)
  }
  rows.push([name, ...times])
}
const client = new SymphonyClient('ws://nowhere.test', { connect: false, disableBc: true })
const room = client.enter('size')
const list = room.newList('list')
room.bundle(() => { for (let i = 0; i < 10_000; i++) list.push({ id: i, text: `item ${i}` }) })
const before = Y.encodeStateAsUpdate(room.doc).length
room.bundle(() => { for (let i = 0; i < 1_000; i++) list.move(0, 9_999) })
const after = Y.encodeStateAsUpdate(room.doc).length
await client.destroy()

console.log(`| | ${SIZES.map(n => `${n.toLocaleString('en')} objects`).join(' | ')} |\n|---|${'---:|'.repeat(SIZES.length)}`)
for (const [name, ...times] of rows) console.log(`| ${name} | ${times.map(ms => `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`).join(' | ')} |`)
console.log(`\n10,000 objects are ${before.toLocaleString('en')} bytes; moving 1,000 of them adds ${Math.round((after - before) / 1000)} bytes each.`)
