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

    const want = plain(replay(clients.flatMap(client => client.made)))
    assert.equal(want.pending, false)
    for (const [i, client] of clients.entries()) {
      await eventually(`client ${i} of "${room}" has every edit`, () => plain(received(client.doc)), want)
    }
    await agree(clients, room)

    const fresh = new Client(server, room)
    clients.push(fresh)
    await fresh.synced()
    assert.deepEqual(plain(fresh.doc), want, `a fresh joiner of "${room}"`)
    await agree(clients, room)
    for (const client of clients) assert.deepEqual(client.problems, [])
  } finally {
    for (const client of clients) client.destroy()
  }
}

/**
 * Which structs there are, and what they say, formatting apart. Yjs tidies
 * redundant formatting marks away when it sees them, each replica what it sees, and
 * sends that on; the replay, which sees everything at once, tidies other ones.
 */
function plain (doc) {
  const words = text => text.toDelta().map(part => part.insert).join('')
  const tree = node => node instanceof Y.XmlText ? words(node) : [node.nodeName, node.getAttributes(), node.toArray().map(tree)]
  return {
    ...content(doc),
    text: words(doc.getText('text')),
    xml: doc.getXmlFragment('xml').toArray().map(tree),
    structs: [...Y.snapshot(doc).sv].sort(([a], [b]) => a - b)
  }
}

/** Waits until all have the same to the last mark: what is seen, and what is deleted. */
async function agree (clients, room) {
  await eventually(`the clients of "${room}" agree on what is deleted`, () => {
    const [first, ...others] = clients.map(({ doc }) => Y.snapshot(received(doc)).ds)
    return others.every(ds => Y.equalDeleteSets(ds, first))
  })
  const [first, ...others] = clients.map(({ doc }) => content(received(doc)))
  for (const other of others) assert.deepEqual(other, first, `the clients of "${room}" see the same`)
}
