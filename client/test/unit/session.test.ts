// One connection's life against a fake server: hello, outbox, sequence, renewal.

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { MessageOf } from '../../src/protocol'
import { encodeFrame, settle } from '../../src/testing'
import { edit, EMPTY, NONE, WELCOME, world } from './world'

const text = (doc: Y.Doc): string => doc.getText('t').toString()

test('the handshake offers the token as subprotocol, the query has the room, and hello comes first', async () => {
  const w = world({ token: async () => 'a.b.c' })
  await settle()
  expect(w.socket().url.href).toBe('ws://server.test/dev?room=room')
  expect(w.socket().protocols).toEqual(['symphony.v1', 'symphony.token.YS5iLmM'])
  w.socket().open()
  expect(w.socket().sent).toEqual([
    { type: 'hello', version: 1, client: w.doc.clientID, epoch: '', after: 0, stateVector: Y.encodeStateVector(w.doc) }
  ])
  w.provider.destroy()
})

test('the token goes into the query when asked to', async () => {
  const w = world({ token: 'x y', tokenIn: 'query', params: { v: '1' } })
  await settle()
  expect(w.socket().url.href).toBe('ws://server.test/dev?room=room&v=1&token=x%20y')
  expect(w.socket().protocols).toEqual(['symphony.v1'])
  expect(w.provider.url).toBe('ws://server.test/dev?room=room&v=1')
  w.provider.destroy()
})

test('a token function is asked for every connection, and its failure is tried again', async () => {
  let asked = 0
  const w = world({ token: () => { if (++asked === 2) throw new Error('no'); return `t${asked}` } })
  await w.welcome()
  w.socket().end()
  await w.clock.advance(250)
  expect(asked).toBe(2)
  await w.clock.advance(1000)
  expect(asked).toBe(3)
  expect(w.sockets).toHaveLength(2)
  expect(w.socket().protocols[1]).toBe(`symphony.token.${Buffer.from('t3').toString('base64url')}`)
  w.provider.destroy()
})

test('a token about to expire is replaced make-before-break', async () => {
  let asked = 0
  const w0 = Date.UTC(2024, 0, 1) // where a FakeClock begins
  const w = world({
    token: () => {
      asked++
      return `h.${Buffer.from(JSON.stringify({ exp: w0 / 1000 + 600 * asked })).toString('base64url')}.s`
    }
  })
  await w.welcome()
  await w.clock.advance(301_000)
  w.socket().receive({ type: 'tail', seq: 0 })
  await w.clock.advance(238_000)
  expect(asked).toBe(1)
  w.events.length = 0
  await w.clock.advance(2_000)
  expect(asked).toBe(2)
  await w.welcome()
  expect(w.events).toEqual([])
  expect(w.provider.wsconnected).toBe(true)
  w.provider.destroy()
})

test('edits of 50 ms become one submit, kept until acknowledged, sent again after 30 s', async () => {
  const w = world()
  const s = await w.welcome()
  for (const char of 'abc') w.doc.getText('t').insert(0, char)
  expect(s.all('submit')).toEqual([])
  await w.clock.advance(50)
  expect(s.all('submit')).toHaveLength(1)
  const remote = new Y.Doc()
  Y.applyUpdate(remote, s.last('submit')!.update)
  expect(text(remote)).toBe('cba')
  expect(w.provider.hasUnacknowledgedChanges).toBe(true)
  s.receive({ type: 'tail', seq: 0 })
  await w.clock.advance(29_900)
  s.receive({ type: 'tail', seq: 0 }) // the probe's
  await w.clock.advance(100)
  expect(s.all('submit').map(({ id }) => id)).toEqual([1, 1])
  s.receive({ type: 'ack', id: 1, seq: 1 })
  expect(w.provider.hasUnacknowledgedChanges).toBe(false)
  expect(w.events.filter(event => event.startsWith('un'))).toEqual(['unacknowledged:true', 'unacknowledged:false'])
  w.provider.destroy()
})

test('what is not acknowledged goes again after a reconnect, with its id, and hello resumes', async () => {
  const w = world()
  const first = await w.welcome({ through: 5 })
  w.doc.getText('t').insert(0, 'x')
  await w.clock.advance(50)
  first.end()
  expect(w.provider.wsconnected).toBe(false)
  w.doc.getText('t').insert(1, 'y')
  w.doc.getText('t').insert(2, 'z')
  await w.clock.advance(250)
  const second = await w.welcome({ through: 5 })
  expect(second.last('hello')).toMatchObject({ epoch: 'e', after: 5 })
  expect(second.all('submit').map(({ id }) => id)).toEqual([1, 2]) // offline edits: one message
  w.provider.destroy()
})

test('nothing but hello is sent before the welcome; early broadcasts wait for it; unnumbered updates are dropped', async () => {
  const w = world()
  await settle()
  const s = w.socket()
  s.open()
  w.doc.getText('t').insert(0, 'x')
  w.provider.awareness.setLocalStateField('a', 1)
  await w.clock.advance(1000)
  expect(s.sent).toHaveLength(1)
  s.receive({ type: 'syncUpdate', update: edit('dropped') })
  s.receive({ type: 'broadcast', seq: 2, update: edit('early') })
  expect(text(w.doc)).toBe('x')
  s.receive({ type: 'welcome', version: 1, epoch: 'e', through: 1, connection: '', userId: '', userName: '', access: 'write', members: 1, time: 0, stateVector: EMPTY.slice(1), update: EMPTY })
  expect(text(w.doc)).toContain('early')
  expect(text(w.doc)).not.toContain('dropped')
  expect(s.all('rangeRequest')).toEqual([])
  w.provider.destroy()
})

test('a full welcome: only what the catch-up lacks is submitted, not the delete set again', async () => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'hello')
  doc.getText('t').delete(0, 2)
  const state = Y.encodeStateAsUpdate(doc)
  const same = world({}, doc)
  const s = await same.welcome({ stateVector: Y.encodeStateVector(doc), update: Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc)) })
  await same.clock.advance(100)
  expect(s.all('submit')).toEqual([])
  same.provider.destroy()

  const ahead = new Y.Doc()
  Y.applyUpdate(ahead, state)
  ahead.getText('t').delete(0, 1) // only a deletion is news
  const more = world({}, ahead)
  const other = await more.welcome({ stateVector: Y.encodeStateVector(doc), update: Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc)) })
  await more.clock.advance(100)
  expect(other.all('submit')).toHaveLength(1)
  Y.applyUpdate(doc, other.last('submit')!.update)
  expect(text(doc)).toBe(text(ahead))
  more.provider.destroy()
})

test('a gap is asked for after 250 ms, pieces are applied together, and late numbers are dropped', async () => {
  const w = world()
  const s = await w.welcome()
  const author = new Y.Doc()
  const updates = ['a', 'b', 'c', 'd'].map(char => edit(char, author))
  s.receive({ type: 'broadcast', seq: 1, update: updates[0]! })
  s.receive({ type: 'broadcast', seq: 4, update: updates[3]! })
  await w.clock.advance(249)
  expect(s.all('rangeRequest')).toEqual([])
  await w.clock.advance(1)
  expect(s.all('rangeRequest')).toEqual([{ type: 'rangeRequest', after: 1, through: 3 }])
  s.receive({ type: 'range', after: 1, through: 3, more: true, update: updates[1]! })
  expect(text(w.doc)).toBe('a') // not yet
  s.receive({ type: 'range', after: 1, through: 3, more: false, update: updates[2]! })
  expect(text(w.doc)).toBe('abcd')
  let transactions = 0
  w.doc.on('afterTransaction', () => transactions++)
  s.receive({ type: 'broadcast', seq: 2, update: updates[1]! })
  expect(transactions).toBe(0)
  await w.clock.advance(60_000)
  expect(s.all('rangeRequest')).toHaveLength(1)
  w.provider.destroy()
})

test('a range without an answer is asked for again', async () => {
  const w = world()
  const s = await w.welcome()
  s.receive({ type: 'broadcast', seq: 3, update: edit('x') })
  await w.clock.advance(250)
  await w.clock.advance(10_000) // the quiet probe's answer keeps the connection
  s.receive({ type: 'tail', seq: 0 })
  await w.clock.advance(25_000)
  expect(s.all('rangeRequest')).toHaveLength(2)
  w.provider.destroy()
})

test('quiet: one probe, then every five minutes; a tail beyond asks for everything; silence means dead', async () => {
  const w = world()
  const s = await w.welcome()
  s.receive({ type: 'broadcast', seq: 1, update: edit('x') })
  await w.clock.advance(12_500)
  expect(s.all('probe')).toEqual([{ type: 'probe', seq: 1 }])
  s.receive({ type: 'tail', seq: 1 })
  await w.clock.advance(299_000)
  expect(s.all('probe')).toHaveLength(1)
  await w.clock.advance(1_000)
  expect(s.all('probe')).toHaveLength(2)
  s.receive({ type: 'tail', seq: 3 })
  await w.clock.advance(0)
  expect(s.last('rangeRequest')).toEqual({ type: 'rangeRequest', after: 1, through: 0 })
  s.receive({ type: 'range', after: 1, through: 3, more: false, update: EMPTY })
  await w.clock.advance(12_500)
  expect(s.last('probe')).toEqual({ type: 'probe', seq: 3 })
  await w.clock.advance(29_999)
  expect(w.provider.wsconnected).toBe(true)
  await w.clock.advance(1)
  expect(s.closedWith).toBe(1000)
  expect(w.provider.wsconnected).toBe(false)
  w.provider.destroy()
})

test('a tail below the probe is another room: hello on a new connection, and a new epoch starts over', async () => {
  const w = world()
  const s = await w.welcome({ through: 9 })
  await w.clock.advance(300_000)
  s.receive({ type: 'tail', seq: 2 })
  expect(s.closedWith).toBe(1000)
  await w.clock.advance(500)
  const next = await w.welcome({ epoch: 'f', through: 2, stateVector: Uint8Array.of(0) })
  expect(next.last('hello')).toMatchObject({ epoch: 'e', after: 9 })
  next.receive({ type: 'broadcast', seq: 3, update: edit('new life') })
  expect(text(w.doc)).toBe('new life')
  expect(w.provider.connection.sequence.last).toBe(3)
  w.provider.destroy()
})

test('back from a sleep, a dead connection is replaced within seconds', async () => {
  const w = world()
  const s = await w.welcome()
  w.provider.connection.wake()
  expect(s.all('probe')).toHaveLength(1)
  await w.clock.advance(5_000)
  expect(s.closedWith).toBe(1000)
  await w.clock.advance(500)
  await w.welcome()
  w.provider.connection.wake()
  w.socket().receive({ type: 'tail', seq: 0 })
  await w.clock.advance(60_000)
  expect(w.sockets).toHaveLength(2)
  w.provider.destroy()
})

test('reconnects wait at random up to a bound that doubles to 30 s', async () => {
  const waits: number[] = []
  const w = world({ random: () => 0.999 })
  for (let attempt = 0; attempt < 9; attempt++) {
    await settle()
    const before = w.clock.now()
    const sockets = w.sockets.length
    w.socket().end()
    while (w.sockets.length === sockets) await w.clock.advance(50)
    waits.push(w.clock.now() - before)
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
  w.provider.destroy()
})

test('the connection is replaced before two hours, make before break, with no status change', async () => {
  const w = world()
  const first = await w.welcome()
  w.events.length = 0
  const answer = (): void => { first.receive({ type: 'tail', seq: w.provider.connection.sequence.last }) }
  for (let minute = 0; minute < 104; minute++) {
    await w.clock.advance(60_000)
    answer()
  }
  expect(w.sockets).toHaveLength(1)
  for (let minute = 0; minute < 12 && w.sockets.length === 1; minute++) {
    await w.clock.advance(60_000)
    answer()
  }
  expect(w.sockets).toHaveLength(2)
  const second = w.socket()
  second.open()
  w.doc.getText('t').insert(0, 'on the old one')
  await w.clock.advance(50)
  expect(first.all('submit')).toHaveLength(1) // it still serves
  first.receive({ type: 'broadcast', seq: 1, update: edit('both') })
  await w.welcome({ through: 0 })
  second.receive({ type: 'broadcast', seq: 1, update: edit('again') }) // the same number
  expect(text(w.doc)).not.toContain('again')
  w.doc.getText('t').insert(0, 'on the new one')
  await w.clock.advance(50)
  expect(second.all('submit').map(({ id }) => id)).toEqual([2])
  first.receive({ type: 'ack', id: 1, seq: 2 }) // under way when it was replaced
  expect(first.closedWith).toBeNull()
  await w.clock.advance(5_000)
  expect(first.closedWith).toBe(1000)
  expect(w.events.filter(event => !event.startsWith('un'))).toEqual([])
  w.provider.destroy()
})

test('an error with retry-after sends the same message again later; one without drops it and says so', async () => {
  const w = world()
  const s = await w.welcome()
  w.doc.getText('t').insert(0, 'x')
  await w.clock.advance(50)
  s.receive({ type: 'error', code: 8, id: 1, retry: 1000, text: 'unavailable' })
  await w.clock.advance(1249)
  expect(s.all('submit')).toHaveLength(1)
  await w.clock.advance(1)
  expect(s.all('submit').map(({ id }) => id)).toEqual([1, 1])
  s.receive({ type: 'error', code: 3, id: 1, retry: 0, text: 'invalid' })
  expect(w.problems.at(-1)).toMatchObject({ code: 3, text: 'invalid' })
  expect(w.provider.hasUnacknowledgedChanges).toBe(false)
  w.provider.destroy()
})

test("the gateway's own error: everything unanswered goes again, ever later", async () => {
  const w = world()
  const s = await w.welcome()
  w.doc.getText('t').insert(0, 'x')
  await w.clock.advance(50)
  s.receiveRaw('{"message": "Internal server error", "connectionId":"c", "requestId":"r"}')
  await w.clock.advance(1250)
  expect(s.all('submit')).toHaveLength(2)
  s.receiveRaw('{"message": "Internal server error", "connectionId":"c", "requestId":"r"}')
  await w.clock.advance(2499)
  expect(s.all('submit')).toHaveLength(2)
  await w.clock.advance(1)
  expect(s.all('submit')).toHaveLength(3)
  w.provider.destroy()
})

test('denied stops for good and keeps the edits; unknown connection drops nothing and comes back', async () => {
  const w = world()
  const s = await w.welcome()
  w.doc.getText('t').insert(0, 'x')
  await w.clock.advance(50)
  s.receive({ type: 'error', code: 7, id: 1, retry: 0, text: 'unknown' })
  await w.clock.advance(500)
  const next = await w.welcome()
  expect(next.all('submit').map(({ id }) => id)).toEqual([1])
  next.receive({ type: 'error', code: 6, id: 1, retry: 0, text: 'revoked' })
  await w.clock.advance(100_000)
  expect(w.sockets).toHaveLength(2)
  expect(w.provider.hasUnacknowledgedChanges).toBe(true)
  expect(w.events).toContain('connection:failed')
  w.provider.destroy()
})

test('a read-only member submits nothing', async () => {
  const w = world()
  const s = await w.welcome({ access: 'read' })
  expect(w.provider.isReadOnly).toBe(true)
  w.doc.getText('t').insert(0, 'x')
  await w.clock.advance(100)
  expect(s.all('submit')).toEqual([])
  expect(w.problems.at(-1)?.code).toBe(5)
  w.provider.destroy()
})

test('a hello that is refused for now is said again on the same connection', async () => {
  const w = world()
  await settle()
  w.socket().open()
  w.socket().receive({ type: 'error', code: 8, id: 0, retry: 1000, text: 'later' })
  await w.clock.advance(1250)
  expect(w.sockets).toHaveLength(1)
  expect(w.socket().all('hello')).toHaveLength(2)
  w.socket().receiveRaw('{"message":"Internal server error"}')
  await w.clock.advance(2500)
  expect(w.socket().all('hello')).toHaveLength(3)
  w.provider.destroy()
})

test('a large update: request, PUT with the offered headers, commit, acknowledgement', async () => {
  const puts: Array<{ url: string, headers: unknown, size: number }> = []
  const w = world({
    fetch: (async (url: string, init: RequestInit) => {
      puts.push({ url, headers: init.headers, size: (init.body as Uint8Array).length })
      if (puts.length <= 3) throw new Error('network') // three attempts: the offer has failed
      return new Response()
    }) as typeof fetch
  })
  const s = await w.welcome()
  w.doc.getText('t').insert(0, 'x'.repeat(30_000))
  await w.clock.advance(50)
  await until(() => s.all('uploadRequest').length === 1)
  const request = s.last('uploadRequest')!
  expect(s.all('submit')).toEqual([])
  s.receive({ type: 'uploadOffer', id: request.id, upload: 'u1', url: 'http://store/1', headers: [['x-a', 'b']] })
  await until(() => puts.length === 3)
  await settle()
  await w.clock.advance(2_000)
  expect(s.all('uploadRequest')).toHaveLength(2)
  s.receive({ type: 'uploadOffer', id: request.id, upload: 'u2', url: 'http://store/2', headers: [['x-a', 'b']] })
  await until(() => s.all('uploadCommit').length === 1)
  expect(puts[3]).toEqual({ url: 'http://store/2', headers: [['x-a', 'b']], size: request.size })
  s.end()
  await w.clock.advance(500)
  const next = await w.welcome()
  expect(next.last('uploadCommit')).toEqual({ type: 'uploadCommit', id: request.id, upload: 'u2' }) // the bytes are there
  next.receive({ type: 'ack', id: request.id, seq: 1 })
  expect(w.provider.hasUnacknowledgedChanges).toBe(false)
  w.provider.destroy()
})

test('a server without uploads gets many small edits in pieces, and says no to a single large one', async () => {
  const w = world()
  for (let n = 0; n < 30; n++) w.doc.getText('t').insert(0, `${n}`.padEnd(9_000, 'x'))
  const s = await w.welcome()
  await until(() => s.all('uploadRequest').length === 1)
  s.receive({ type: 'error', code: 9, id: s.last('uploadRequest')!.id, retry: 0, text: 'no uploads' })
  expect(s.all('submit').length).toBeGreaterThan(10)
  const copy = new Y.Doc()
  for (const { update } of s.all('submit')) Y.applyUpdate(copy, update)
  expect(text(copy)).toBe(text(w.doc))
  w.provider.destroy()
})

test('a broadcast by URL counts only with the right hash; otherwise the next connection resumes before it', async () => {
  const update = edit('from the store')
  const sha256 = new Uint8Array(createHash('sha256').update(update).digest())
  let body = edit('forged')
  const w = world({ fetch: (async () => new Response(body as Uint8Array<ArrayBuffer>)) as unknown as typeof fetch })
  const s = await w.welcome()
  s.receive({ type: 'broadcastByUrl', seq: 1, size: update.length, sha256, url: 'http://store/x' })
  await until(() => s.closedWith !== null)
  expect(text(w.doc)).toBe('')
  body = update
  await w.clock.advance(500)
  const next = await w.welcome()
  expect(next.last('hello')).toMatchObject({ after: 0 })
  next.receive({ type: 'broadcastByUrl', seq: 1, size: update.length, sha256, url: 'http://store/x' })
  await until(() => text(w.doc) === 'from the store')
  expect(next.all('rangeRequest')).toEqual([])
  expect(w.provider.connection.sequence.last).toBe(1)
  w.provider.destroy()
})

test('a snapshot by URL: the welcome counts once it is there', async () => {
  const update = edit('snapshot')
  const sha256 = new Uint8Array(createHash('sha256').update(update).digest())
  const w = world({ fetch: (async () => new Response(update as Uint8Array<ArrayBuffer>)) as unknown as typeof fetch })
  await settle()
  w.socket().open()
  w.socket().receive({ type: 'snapshotByUrl', seq: 7, size: update.length, sha256, url: 'http://store/s' })
  await w.welcome({ through: 8 })
  expect(w.provider.synced).toBe(false)
  await until(() => w.provider.synced)
  expect(text(w.doc)).toBe('snapshot')
  expect(w.provider.connection.sequence.last).toBe(8)
  w.provider.destroy()
})

/** A world whose store has `body()`, and a link to `update`. */
function linked (update: Uint8Array, fetch: () => Promise<Response>): { w: ReturnType<typeof world>, link: MessageOf<'snapshotByUrl'> } {
  const sha256 = new Uint8Array(createHash('sha256').update(update).digest())
  return {
    w: world({ fetch: fetch as unknown as typeof globalThis.fetch }),
    link: { type: 'snapshotByUrl', seq: 7, size: update.length, sha256, url: 'http://store/s' }
  }
}

test('guarantee 5: a snapshot that cannot be fetched is asked for in pieces, and its welcome does not count', async () => {
  const update = edit('snapshot')
  for (const order of ['welcome before the failure', 'welcome after it']) {
    let tries = 0
    let fail = (): void => {}
    const gate = new Promise<void>(resolve => { fail = resolve })
    const { w, link } = linked(update, async () => {
      await gate
      tries++
      return new Response('gone', { status: [403, 404, 500][tries % 3]! })
    })
    await settle()
    const s = w.socket()
    s.open()
    s.receive(link)
    if (order === 'welcome after it') {
      fail()
      await until(() => tries === 3)
      await settle()
    }
    s.receive({ ...WELCOME, through: 8 })
    await settle()
    s.receive({ type: 'broadcast', seq: 9, update: edit('!') })
    fail()
    await until(() => s.all('hello').length === 2)
    expect(w.provider.synced, order).toBe(false)
    expect(w.provider.connection.epoch, order).toBe('')
    expect(s.closedWith, order).toBeNull()
    s.receive({ type: 'range', after: 0, through: 9, more: true, update })
    s.receive({ ...WELCOME, through: 9 })
    await settle()
    expect(w.provider.synced, order).toBe(true)
    expect(text(w.doc), order).toContain('snapshot')
    expect(w.provider.connection.sequence.last, order).toBe(9)
    w.provider.destroy()
    expect(w.clock.pending, order).toBe(0)
  }
})

test('a download may take longer than any answer', async () => {
  const update = edit('snapshot')
  let arrive = (): void => {}
  const gate = new Promise<void>(resolve => { arrive = resolve })
  const { w, link } = linked(update, async () => { await gate; return new Response(update as Uint8Array<ArrayBuffer>) })
  await settle()
  const s = w.socket()
  s.open()
  s.receive(link)
  s.receive({ ...WELCOME, through: 8 })
  await settle()
  await w.clock.advance(100_000)
  expect(s.closedWith).toBeNull()
  arrive()
  await until(() => w.provider.synced)
  expect(text(w.doc)).toBe('snapshot')
  w.provider.destroy()
})

test('a frame that cannot be read gives the connection up; unknown types are ignored', async () => {
  const w = world()
  const s = await w.welcome()
  s.receiveRaw(Buffer.from([109, 1]).toString('base64'))
  expect(s.closedWith).toBeNull()
  s.receiveRaw('not base64!')
  expect(s.closedWith).toBe(1000)
  w.provider.destroy()
})

test('a duplicate and reordered acknowledgement, and one for an unknown id, do no harm', async () => {
  const w = world()
  const s = await w.welcome()
  s.receive({ type: 'ack', id: 77, seq: 2 })
  s.receive({ type: 'ack', id: 77, seq: 2 })
  s.receive({ type: 'ack', id: 1, seq: 1 })
  expect(w.provider.connection.sequence.last).toBe(2)
  s.receiveRaw(encodeFrame({ type: 'broadcast', seq: 2, update: NONE }))
  w.provider.destroy()
})

test('destroy: no timer, no socket, no listener is left', async () => {
  const w = world()
  const s = await w.welcome({ members: 3 })
  w.doc.getText('t').insert(0, 'x')
  s.receive({ type: 'broadcast', seq: 5, update: edit('gap') })
  w.provider.awareness.setLocalStateField('x', 1)
  w.provider.destroy()
  expect(s.last('submit')).toBeDefined() // flushed
  expect(s.closedWith).toBe(1000)
  expect(w.clock.pending).toBe(0)
  expect(w.doc._observers.get('update')?.size ?? 0).toBe(0)
  w.provider.connect()
  await settle()
  expect(w.sockets).toHaveLength(1)
})

/** Waits for what needs real turns of the event loop: hashes, fetch. */
async function until (what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 90_000, interval: 2 }).toBe(true)
}

test('a welcome or range in pieces over a slow line: each piece is a sign of life', async () => {
  const w = world()
  await settle()
  const s = w.socket()
  s.open()
  const author = new Y.Doc()
  for (let piece = 0; piece < 5; piece++) {
    await w.clock.advance(29_000)
    s.receive({ type: 'range', after: 0, through: 5, more: true, update: edit(String(piece), author) })
  }
  await w.clock.advance(29_000)
  s.receive({ ...WELCOME, through: 5 })
  expect(w.provider.synced).toBe(true)
  expect(w.doc.getText('t').toString()).toBe('01234')
  expect(w.sockets).toHaveLength(1)
  s.receive({ type: 'broadcast', seq: 8, update: edit('8') })
  await w.clock.advance(250)
  for (let piece = 0; piece < 5; piece++) {
    await w.clock.advance(29_000)
    s.receive({ type: 'range', after: 5, through: 7, more: true, update: edit(String(piece), author) })
  }
  expect(s.all('rangeRequest')).toHaveLength(1)
  w.provider.destroy()
})
