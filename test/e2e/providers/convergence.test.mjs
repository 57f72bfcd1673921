// Unmodified y-websocket providers converge, whatever the network does (P21, P22).

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client, content, received, replay, Y } from '../lib/client.mjs'
import { edit } from '../lib/edits.mjs'
import { random, seed } from '../lib/random.mjs'
import { startServer } from '../lib/server.mjs'
import { eventually, sleep } from '../lib/wait.mjs'

const DOCUMENTS = 20
const CLIENTS = 3
const STEPS = 60

describe('20 documents, random edits, cut connections, reordered messages, lost $disconnect', () => {
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server
  before(async () => {
    // The schedule checkpoints during the test, as it would during anybody's work.
    server = await startServer({
      args: ['--gateway-shuffle', '--gateway-drop-disconnect', '0.5', '--gateway-seed', String(seed || 1), '--checkpoint', '1s']
    })
  })
  after(() => server?.stop())

  it('converges, loses no edit, and a fresh joiner equals', { timeout: 300_000 }, async () => {
    await Promise.all(Array.from({ length: DOCUMENTS }, (_, i) => oneDocument(server.ws, `document ${i} / ${seed}?#%`, random(seed + i))))
  })
})

async function oneDocument (server, room, r) {
  const clients = Array.from({ length: CLIENTS }, () => new Client(server, room))
  try {
    for (let step = 0; step < STEPS; step++) {
      const client = r.one(clients)
      if (r.chance(0.08)) client.cut()
      else if (r.chance(0.04)) client.provider.disconnect()
      else if (r.chance(0.1)) client.provider.connect()
      for (let n = 1 + r.below(3); n > 0; n--) edit(client.doc, r)
      if (r.chance(0.5)) await sleep(r.below(20))
      else if (r.chance(0.1)) await sleep(300) // long enough to be back
    }
    for (const { provider } of clients) provider.connect()

    const want = state(replay(clients.flatMap(client => client.made)))
    assert.equal(want.pending, false)
    for (const [i, client] of clients.entries()) {
      await eventually(`client ${i} of "${room}" has every edit`, () => state(received(client.doc)), want)
    }
    // Yjs tidies formatting marks when it sees them, and sends that on; so what is
    // deleted is compared among the clients, not with the replay.
    await eventually(`the clients of "${room}" agree on what is deleted`, () => clients.every(({ doc }) => sameDeletes(received(doc), received(clients[0].doc))))

    const fresh = new Client(server, room)
    clients.push(fresh)
    await fresh.synced()
    assert.deepEqual(state(fresh.doc), want, `a fresh joiner of "${room}"`)
    for (const client of clients) assert.deepEqual(client.problems, [])
  } finally {
    for (const client of clients) client.destroy()
  }
}

/** What is seen, and which structs there are. */
function state (doc) {
  return { ...content(doc), structs: [...Y.snapshot(doc).sv].sort(([a], [b]) => a - b) }
}

function sameDeletes (a, b) {
  return Y.equalDeleteSets(Y.snapshot(a).ds, Y.snapshot(b).ds)
}
