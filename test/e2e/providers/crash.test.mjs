// kill -9 during edits: what a provider has seen of another was stored before (N1, P24).

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client, content } from '../lib/client.mjs'
import { random, seed } from '../lib/random.mjs'
import { startServer } from '../lib/server.mjs'
import { eventually, sleep } from '../lib/wait.mjs'

const ROUNDS = 6
const ROOMS = ['one', 'two', 'three']
const WRITERS = 3

describe('kill -9 during edits', () => {
  let server
  before(async () => { server = await startServer({ args: ['--checkpoint', '1s'] }) })
  after(() => server?.stop())

  it('recovers what any provider had seen of another, from the store alone', { timeout: 300_000 }, async () => {
    const r = random(seed)
    const seen = new Map(ROOMS.map(room => [room, new Set()]))
    for (let round = 0; round < ROUNDS; round++) {
      const enough = 10 + r.below(60)
      const clients = await editUntil(server, seen, round, enough, r)
      await server.kill()
      // Gone before the restart, so that none of them can send it again.
      for (const client of clients) client.vanish()
      await server.start()
      for (const room of ROOMS) {
        const fresh = await new Client(server.ws, room).synced()
        const missing = [...seen.get(room)].filter(key => fresh.doc.getMap('map').get(key) !== key)
        fresh.destroy()
        assert.deepEqual(missing, [], `seen before kill ${round + 1} and gone from room "${room}"`)
      }
    }
    assert.ok([...seen.values()].every(keys => keys.size > 0), 'every room had seen something')
  })

  it('providers that live through it come back, lose nothing and go on', { timeout: 300_000 }, async () => {
    const r = random(seed + 1)
    const clients = await Promise.all(Array.from({ length: WRITERS }, () => new Client(server.ws, 'survivors').synced()))
    try {
      for (let round = 0; round < 3; round++) {
        const write = n => { for (let i = 0; i < n; i++) r.one(clients).doc.getText('text').insert(0, `${round}.${i} `) }
        write(20)
        await sleep(r.below(15))
        write(5)
        await server.kill()
        write(20)
        await server.start()
        await eventually('all are back', () => clients.every(client => client.provider.synced))
        write(5)
        const words = 50 * (round + 1)
        await eventually('all have all words', () => clients.map(client => client.doc.getText('text').toString().split(' ').length - 1), clients.map(() => words))
        for (const client of clients) assert.deepEqual(content(client.doc), content(clients[0].doc))
      }
      assert.deepEqual(clients.flatMap(client => client.problems), [])
    } finally {
      for (const client of clients) client.destroy()
    }
  })
})

/**
 * Writers write until so many of their edits have been seen by another; what is
 * seen is added to `seen`. Returns while they still write, so that the kill comes
 * in the middle.
 */
async function editUntil (server, seen, round, enough, r) {
  let count = 0
  const clients = []
  for (const room of ROOMS) {
    for (let w = 0; w < WRITERS; w++) {
      const client = new Client(server.ws, room)
      client.doc.getMap('map').observe(event => {
        if (event.transaction.origin !== client.provider) return
        for (const key of event.keysChanged) {
          if (key.startsWith(`${round}:`) && !seen.get(room).has(key)) {
            seen.get(room).add(key)
            count++
          }
        }
      })
      clients.push(client)
    }
  }
  await Promise.all(clients.map(client => client.synced()))
  for (let i = 0; count < enough; i++) {
    for (const [w, client] of clients.entries()) {
      if (!r.chance(0.5)) continue
      const key = `${round}:${w}:${i}`
      client.doc.getMap('map').set(key, key)
    }
    await sleep(1)
  }
  return clients
}
