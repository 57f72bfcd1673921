import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { MAX_MESSAGE, splitMessage, splitUpdate } from '../../src/shim/split.js'
import { random, seed } from '../e2e/random'

const content = (doc: Y.Doc) => ({
  text: doc.getText('text').toDelta(),
  map: doc.getMap('map').toJSON(),
  list: doc.getArray('list').toJSON(),
  xml: doc.getXmlFragment('xml').toString()
})

/** A doc that saw only these updates, one after the other. */
function applied (pieces: Uint8Array[]) {
  const doc = new Y.Doc()
  for (const piece of pieces) Y.applyUpdate(doc, piece)
  return doc
}

function expectSame (got: Y.Doc, want: Y.Doc) {
  expect(content(got)).toEqual(content(want))
  expect(Y.encodeStateVector(got)).toEqual(Y.encodeStateVector(want))
  expect(got.store.pendingStructs).toBeNull()
  expect(got.store.pendingDs).toBeNull()
  expect(Y.equalSnapshots(Y.snapshot(got), Y.snapshot(want))).toBe(true)
}

function edit (doc: Y.Doc, r: ReturnType<typeof random>) {
  const letters = ['a', 'é', '漢', '😀', ' ', '👩‍👩‍👧']
  const words = (n: number) => Array.from({ length: r.below(n) + 1 }, () => letters[r.below(letters.length)]).join('')
  const text = doc.getText('text')
  const list = doc.getArray<unknown>('list')
  const map = doc.getMap<unknown>('map')
  const xml = doc.getXmlFragment('xml')
  switch (r.below(8)) {
    case 0: text.insert(r.below(text.length + 1), words(200)); break
    case 1: if (text.length > 0) { const at = r.below(text.length); text.delete(at, Math.min(r.below(20), text.length - at)) } break
    case 2: if (text.length > 0) text.format(0, r.below(text.length), { bold: true }); break
    case 3: list.insert(r.below(list.length + 1), Array.from({ length: r.below(80) }, (_, i) => i % 3 === 0 ? { x: words(3) } : i * 1.5)); break
    case 4: if (list.length > 0) list.delete(r.below(list.length), 1); break
    case 5: map.set(`k${r.below(5)}`, new Y.Array<unknown>()); break
    case 6: { const inner = map.get(`k${r.below(5)}`); if (inner instanceof Y.Array) inner.push([words(10), r.below(9)]); break }
    default: { const e = new Y.XmlElement(`p${r.below(3)}`); e.setAttribute('n', words(5)); xml.insert(r.below(xml.length + 1), [e]) }
  }
}

describe('splitUpdate', () => {
  it('gives pieces that fit and make the same document', () => {
    const r = random(seed)
    for (let round = 0; round < 60; round++) {
      const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
      for (const doc of docs) doc.clientID = r.below(2 ** 32)
      for (let i = 0; i < 60; i++) {
        edit(docs[r.below(3)] as Y.Doc, r)
        if (r.below(6) === 0) Y.applyUpdate(docs[r.below(3)] as Y.Doc, Y.encodeStateAsUpdate(docs[r.below(3)] as Y.Doc))
      }
      const whole = new Y.Doc()
      for (const doc of docs) Y.applyUpdate(whole, Y.encodeStateAsUpdate(doc))
      const max = 200 + r.below(800)
      const { pieces, lost } = splitUpdate(Y, Y.encodeStateAsUpdate(whole), max)
      expect(lost).toEqual([])
      for (const piece of pieces) expect(piece.byteLength).toBeLessThanOrEqual(max)
      expectSame(applied(pieces), whole)
      expectSame(applied([Y.mergeUpdates(r.shuffle([...pieces]))]), whole)
      // One by one in another order: Yjs keeps what came too early, but does not
      // always notice that it fits by now; the next sync helps it.
      const mixed = applied(r.shuffle([...pieces]))
      Y.applyUpdate(mixed, Y.encodeStateAsUpdate(whole, Y.encodeStateVector(mixed)))
      expectSame(mixed, whole)
    }
  })

  it('keeps an update with a hole in it pending, not wrong', () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (u: Uint8Array) => updates.push(u))
    const text = doc.getText('text')
    for (const c of 'abc') text.insert(text.length, c.repeat(500))
    const holed = Y.mergeUpdates([updates[0] as Uint8Array, updates[2] as Uint8Array])
    const got = new Y.Doc()
    for (const piece of splitUpdate(Y, holed, 300).pieces) Y.applyUpdate(got, piece)
    expect(got.getText('text').toString()).toBe('a'.repeat(500))
    Y.applyUpdate(got, updates[1] as Uint8Array)
    expectSame(got, doc)
  })

  it('says what cannot be cut, and sends the rest', () => {
    const doc = new Y.Doc()
    doc.getMap('map').set('big', new Uint8Array(5000))
    const other = new Y.Doc()
    other.getText('text').insert(0, 'x'.repeat(5000))
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    const { pieces, lost } = splitUpdate(Y, Y.encodeStateAsUpdate(other), 1000)
    expect(lost).toHaveLength(1)
    expect(lost[0]).toContain(`client ${doc.clientID}`)
    const got = new Y.Doc()
    for (const piece of pieces) Y.applyUpdate(got, piece)
    expect(got.getText('text').toString()).toBe('x'.repeat(5000))
    expect(got.getMap('map').size).toBe(0)
  })

  it('cuts an update that only deletes', () => {
    const doc = new Y.Doc()
    const list = doc.getArray<number>('list')
    list.push(Array.from({ length: 2000 }, (_, i) => i))
    const before = Y.encodeStateAsUpdate(doc)
    const deletes: Uint8Array[] = []
    doc.on('update', (u: Uint8Array) => deletes.push(u))
    doc.transact(() => { for (let i = 1999; i >= 0; i -= 2) list.delete(i) })
    const { pieces, lost } = splitUpdate(Y, deletes[0] as Uint8Array, 500)
    expect(lost).toEqual([])
    expect(pieces.length).toBeGreaterThan(5)
    const got = new Y.Doc()
    Y.applyUpdate(got, before)
    for (const piece of pieces) { expect(piece.byteLength).toBeLessThanOrEqual(500); Y.applyUpdate(got, piece) }
    expectSame(got, doc)
  })
})

describe('splitMessage', () => {
  it('leaves alone what fits', () => {
    const message = Uint8Array.of(0, 0, 1, 0)
    expect(splitMessage(Y, message, MAX_MESSAGE).messages).toEqual([message])
  })

  it('sends a 200 KB paste as updates and ends a step 2 with a step 2', () => {
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'päste 😀 '.repeat(20_000))
    const step2 = encoding.encode(e => {
      encoding.writeVarUint(e, 0)
      encoding.writeVarUint(e, 1)
      encoding.writeVarUint8Array(e, Y.encodeStateAsUpdate(doc))
    })
    const { messages } = splitMessage(Y, step2, MAX_MESSAGE)
    expect(messages.length).toBeGreaterThan(8)
    const kinds = []
    const got = new Y.Doc()
    for (const message of messages) {
      expect(message.byteLength).toBeLessThanOrEqual(MAX_MESSAGE)
      expect(btoa('x'.repeat(message.byteLength)).length).toBeLessThanOrEqual(32 * 1024)
      const d = decoding.createDecoder(message)
      expect(decoding.readVarUint(d)).toBe(0)
      kinds.push(decoding.readVarUint(d))
      Y.applyUpdate(got, decoding.readVarUint8Array(d))
    }
    expect(kinds).toEqual([...Array(messages.length - 1).fill(2), 1])
    expectSame(got, doc)
  })

  it('asks for everything when the state vector is too large', () => {
    const step1 = new Uint8Array(30_000)
    expect(splitMessage(Y, step1, MAX_MESSAGE).messages).toEqual([Uint8Array.of(0, 0, 1, 0)])
  })

  it('cuts presence between clients', () => {
    const all = new Awareness(new Y.Doc())
    all.setLocalState({ name: 'me' })
    for (let i = 0; i < 40; i++) {
      const one = new Awareness(new Y.Doc())
      one.setLocalState({ name: 'n'.repeat(1000), i })
      applyAwarenessUpdate(all, encodeAwarenessUpdate(one, [one.clientID]), null)
      one.destroy()
    }
    const clients = [...all.getStates().keys()]
    const message = encoding.encode(e => {
      encoding.writeVarUint(e, 1)
      encoding.writeVarUint8Array(e, encodeAwarenessUpdate(all, clients))
    })
    const { messages, lost } = splitMessage(Y, message, MAX_MESSAGE)
    expect(lost).toEqual([])
    expect(messages.length).toBeGreaterThan(1)
    const got = new Awareness(new Y.Doc())
    for (const part of messages) {
      expect(part.byteLength).toBeLessThanOrEqual(MAX_MESSAGE)
      const d = decoding.createDecoder(part)
      decoding.readVarUint(d)
      applyAwarenessUpdate(got, decoding.readVarUint8Array(d), null)
    }
    for (const client of clients) expect(got.getStates().get(client)).toEqual(all.getStates().get(client))
    all.destroy()
    got.destroy()
  })

  it('does not send what it cannot cut', () => {
    const { messages, lost } = splitMessage(Y, new Uint8Array(30_000).fill(3, 0, 1), MAX_MESSAGE)
    expect(messages).toEqual([])
    expect(lost).toHaveLength(1)
  })
})
