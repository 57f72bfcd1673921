// Edits larger than the gateway's frames, with plain clients that know no uploads.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client, content, received } from '../lib/client.mjs'
import { startServer } from '../lib/server.mjs'
import { eventually } from '../lib/wait.mjs'

describe('edits larger than a frame', () => {
  let server
  const clients = []
  const client = async room => {
    const one = await new Client(server.ws, room).synced()
    clients.push(one)
    return one
  }
  before(async () => { server = await startServer({ memory: true, args: ['--gateway-shuffle'] }) })
  after(async () => {
    for (const one of clients) one.destroy()
    await server?.stop()
  })

  it('a 200 KB paste arrives, and a joiner of the 200 KB room gets it', async () => {
    const [a, b] = [await client('paste'), await client('paste')]
    a.doc.transact(() => {
      a.doc.getText('text').insert(0, 'Paste 漢字 😀 '.repeat(12_000))
      a.doc.getArray('list').push(Array.from({ length: 8_000 }, (_, i) => i / 7))
    })
    await eventually('the peer has the paste', () => content(received(b.doc)), content(a.doc))
    const fresh = await client('paste')
    assert.deepEqual(content(fresh.doc), content(a.doc))
    for (const one of [a, b, fresh]) assert.deepEqual([one.problems, one.closes], [[], []])
  })

  it('what was drawn offline arrives in one go after it', async () => {
    const [a, b] = [await client('offline'), await client('offline')]
    a.provider.disconnect()
    for (let i = 0; i < 400; i++) a.doc.getArray('list').push([i, 'x'.repeat(500)])
    a.provider.connect()
    await eventually('the peer has it', () => content(b.doc), content(a.doc))
    assert.deepEqual([a.problems, b.problems], [[], []])
  })

  it('one value too large for a message is told, and the others go on', async () => {
    const [a, b] = [await client('binary'), await client('binary')]
    const silent = console.error
    console.error = () => {}
    try {
      a.doc.getMap('map').set('image', new Uint8Array(100_000))
    } finally {
      console.error = silent
    }
    assert.deepEqual(a.problems.map(problem => problem.kind), ['too-large'])
    b.doc.getText('text').insert(0, 'still here')
    await eventually('edits of others arrive', () => a.doc.getText('text').toString(), 'still here')
    assert.equal(b.doc.getMap('map').size, 0)
    assert.deepEqual([a.closes, b.closes], [[], []])
  })
})
