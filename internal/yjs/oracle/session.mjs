// Random editing sessions with real Yjs: several peers with all kinds of content, undo, and partial exchange.
import * as Y from 'yjs'
import { random, textOf } from './values.mjs'
import { rootTypes } from './describe.mjs'

export const roots = ['t', 'a', 'm', 'x', 'e', 'y']

const commonWords = ['a', 'bc', 'hello ', 'lorem ipsum dolor ', '😀', 'ä€', 'x😀y', '😀😁', 'q\udc00', '\n', '\u0000', '\u2028', 'שלום', '\ufffd', '\ufeff']
const keys = ['', 'a', 'b', 'ü', '1', '0', '10', 'key', '__proto__', '$yjs', '😀']
const numbers = [0, -0, 1, -1, 63, 64, -64, 127, 128, 8191, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 40), 2 ** 53 - 1, -(2 ** 53 - 1), 1.5, 0.1, -0.25, 1e21, 1e-7, 1e300, 5e-324, NaN, Infinity, -Infinity, 3.4028234663852886e38]
const others = [true, false, null, undefined, 'str', '', '😀', '\ud800', '"\\\u0001', 10n, -5n, 2n ** 63n - 1n, -(2n ** 63n)]
const embeds = [{ i: 1 }, { s: '\ud800' }, { s: '😀\udc00' }, { n: null, a: [1, 2, { b: -0.5 }] }, {}, { image: 'a.png', '': 0, 2: 'two', 1: 'one' }]
const formats = [['bold', true], ['bold', null], ['bold', false], ['c', 'red'], ['c', 'blue'], ['c', null], ['link', { href: 'u', title: 't' }], ['link', { href: 'v' }], ['link', null], ['p', {}], ['deep', { a: { b: 1 } }], ['list', [1, 'x']], ['', 1], ['n', -0.5]]

// session plays steps random steps. It answers every update in both encodings with its author, the states of all peers at
// the end, and some of their state vectors on the way. With v2 'some', few sessions have the v2 encoding, which takes as long
// as all the rest.
export const session = ({ seed, steps = 60, peers: count, v2: wantV2 }) => {
  const next = random(seed)
  const int = n => Math.floor(next() * n)
  const pick = list => list[int(list.length)]
  // A high surrogate alone makes Yjs contradict itself: when it cuts a text behind one, it takes what follows for the other
  // half and replaces it, and later states say something else than the updates did.
  const loose = next() < 0.1
  const words = loose ? [...commonWords, '\ud800'] : commonWords

  const any = depth => {
    if (depth > 3 || next() < 0.6) return next() < 0.1 ? new Uint8Array([0, 1, 255].slice(0, int(4))) : pick(next() < 0.5 ? numbers : others)
    if (next() < 0.5) return Array.from({ length: int(4) }, () => any(depth + 1))
    // Not __proto__: Yjs drops it whenever it encodes a value again, and what it holds becomes the prototype of what is read.
    return Object.fromEntries(Array.from({ length: int(4) }, () => [pick(keys.filter(k => k !== '__proto__')), any(depth + 1)]))
  }
  const subdoc = () => new Y.Doc({ guid: 'g' + int(99), meta: next() < 0.3 ? { m: any(2) } : null, autoLoad: next() < 0.3, gc: next() < 0.8 })
  const attributes = () => Object.fromEntries(Array.from({ length: 1 + int(2) }, () => pick(formats)))
  const newText = () => { const t = new Y.Text(); if (next() < 0.7) t.insert(0, pick(words) + pick(words)); return t }
  const newXml = depth => {
    const roll = next()
    if (roll < 0.3) { const t = new Y.XmlText(); if (next() < 0.7) t.insert(0, pick(words), next() < 0.4 ? attributes() : undefined); return t }
    if (roll < 0.4) return new Y.XmlHook(pick(['hook', 'ä']))
    if (roll < 0.45) return new Y.XmlFragment()
    const element = new Y.XmlElement(pick(['p', 'DIV', 'ä', 'LI']))
    if (next() < 0.4) element.setAttribute(pick(['a', 'b', 'C']), pick(['1', '', 'ü']))
    if (depth < 2 && next() < 0.4) element.insert(0, [newXml(depth + 1)])
    return element
  }
  const newType = () => pick([() => new Y.Map([[pick(['', '1', 'k', '$yjs']), any(1)]]), () => Y.Array.from([1, 'two', null]), newText, () => newXml(0), () => new Y.Map(), () => new Y.Array()])()

  // raw inserts content that the interface of Yjs refuses or no longer makes: undefined and bigint in lists, ContentJSON.
  const raw = (type, content) => {
    Y.transact(type.doc, tr => {
      const at = int(type._length + 1)
      let left = null
      let n = 0
      for (let i = type._start; i !== null && n < at; i = i.right) { if (!i.deleted && i.countable) n += i.length; left = i }
      const right = left === null ? type._start : left.right
      const { doc } = type
      new Y.Item(Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID)), left, left && left.lastId, right, right && right.id, type, null, content).integrate(tr, 0)
    })
  }
  const json = () => new Y.ContentJSON(Array.from({ length: 1 + int(4) }, () => pick([undefined, null, 1, -0.5, 'x', '\ud800', { a: [1] }, [], true])))

  const editText = (type, n) => {
    const at = int(n + 1)
    const span = () => { const s = int(n); return [s, 1 + int(next() < 0.5 ? Math.min(3, n - s) : n - s)] }
    switch (int(10)) {
      case 0: case 1: case 2: return type.insert(at, pick(words))
      case 3: return type.insert(at, pick(words), attributes())
      case 4: case 5: return n > 0 && type.format(...span(), attributes())
      case 6: return type.insertEmbed(at, next() < 0.2 ? newType() : pick(embeds), next() < 0.3 ? attributes() : undefined)
      case 7: return next() < 0.5 ? type.setAttribute(pick(keys), any(2)) : next() < 0.5 ? type.removeAttribute(pick(keys)) : n > 0 && type.delete(...span())
      case 8: return n > 0 && type.applyDelta([{ retain: int(n) }, pick([{ insert: pick(words), attributes: attributes() }, { delete: 1 }, { retain: 1, attributes: attributes() }])])
      default: return n > 0 && type.delete(...span())
    }
  }
  const editMap = (type, depth) => {
    const key = pick(keys)
    if (next() < 0.2) return type.delete(key)
    if (key === '__proto__') return type.set(key, pick(['p', 1, null, true])) // objects there would become the prototype of what toJSON gives
    type.set(key, depth < 4 && next() < 0.4 ? newType() : next() < 0.07 ? subdoc() : any(0))
  }
  const editXml = (type, n) => {
    if (type instanceof Y.XmlElement && next() < 0.3) {
      if (next() < 0.1) return type.setAttribute('__proto__', 'p') // objects there would become the prototype, and be listed
      return next() < 0.3 ? type.removeAttribute(pick(['a', 'b', 'C'])) : type.setAttribute(pick(['a', 'b', 'C']), next() < 0.6 ? pick(['1', '', 'ü']) : next() < 0.2 ? newText() : pick([1, -0, 1e21, true, null, [1, [null, 2]], { a: 1 }, new Uint8Array([1, 2]), 5n]))
    }
    if (n > 0 && next() < 0.3) { const s = int(n); return type.delete(s, 1 + int(Math.min(3, n - s))) }
    type.insert(int(n + 1), Array.from({ length: 1 + int(2) }, () => newXml(0)))
  }
  const editArray = (type, n, depth) => {
    const roll = next()
    if (n > 0 && roll < 0.3) { const s = int(n); return type.delete(s, 1 + int(next() < 0.5 ? Math.min(3, n - s) : n - s)) }
    if (roll < 0.4) return raw(type, json())
    if (roll < 0.5) return raw(type, new Y.ContentAny(Array.from({ length: 1 + int(3) }, () => any(1))))
    if (depth < 4 && roll < 0.7) return type.insert(int(n + 1), [newType()])
    if (roll < 0.75) return type.insert(int(n + 1), [subdoc()])
    type.insert(int(n + 1), Array.from({ length: 1 + int(4) }, () => { const v = any(1); return v === undefined || typeof v === 'bigint' ? null : v }))
  }
  const edit = (type, depth) => {
    const n = type._length
    if (type instanceof Y.Text) return editText(type, n)
    if (type instanceof Y.Map) return editMap(type, depth)
    if (type instanceof Y.Array) return editArray(type, n, depth)
    return editXml(type, n)
  }
  // target goes down from a root into a nested type, mostly not far. Most sessions keep to a few roots, so that peers meet.
  const favourites = Array.from({ length: 1 + int(3) }, () => pick(roots))
  const target = doc => {
    const name = next() < 0.8 ? pick(favourites) : pick(roots)
    let type = doc.get(name, rootTypes[name])
    let depth = 0
    while (next() < 0.5) {
      const inner = []
      for (let i = type._start; i; i = i.right) if (!i.deleted && i.content.type) inner.push(i.content.type)
      for (const i of type._map.values()) if (!i.deleted && i.content.type) inner.push(i.content.type)
      if (inner.length === 0) break
      type = pick(inner)
      depth++
    }
    return [type, depth]
  }

  const v2 = next() < 0.35 || wantV2 !== 'some'
  const updates = []
  const updatesV2 = []
  const authors = []
  const vectors = []
  const ids = new Set()
  const clients = count ?? 2 + int(4)
  while (ids.size < clients) ids.add(pick([() => 1 + int(8), () => int(2 ** 32), () => Number.MAX_SAFE_INTEGER - int(9), () => 127 + int(3)])())
  const peers = [...ids].map((clientID, i) => {
    const doc = new Y.Doc({ gc: next() < 0.7, guid: 'peer' + i })
    doc.clientID = clientID
    doc.on('update', (u, origin) => { if (origin !== 'remote') { updates.push(u); authors.push(i) } })
    if (v2) doc.on('updateV2', (u, origin) => { if (origin !== 'remote') updatesV2.push(textOf(u)) })
    const undo = new Y.UndoManager(roots.map(name => doc.get(name, rootTypes[name])), { captureTimeout: next() < 0.5 ? 0 : 500 })
    return { doc, undo, heard: 0 }
  })
  for (let s = 0; s < steps; s++) {
    const peer = pick(peers)
    const roll = next()
    // Yjs refuses some of what is tried, and stumbles over some of its own states: what it has done until then counts.
    try {
      if (roll < 0.08) peer.undo.undo()
      else if (roll < 0.11) peer.undo.redo()
      else if (roll < 0.35) {
        const until = Math.min(updates.length, peer.heard + 1 + int(updates.length - peer.heard + 1))
        for (; peer.heard < until; peer.heard++) if (peers[authors[peer.heard]] !== peer) Y.applyUpdate(peer.doc, updates[peer.heard], 'remote')
        if (next() < 0.3) vectors.push(textOf(Y.encodeStateVector(peer.doc)))
      } else if (roll < 0.4 && peer.doc.share.get('t')._length > 0) { // a burst of typing
        const text = peer.doc.getText('t')
        let at = int(text.length)
        for (let k = 3 + int(8); k > 0; k--) text.insert(at++, 'abcdefgh'[k % 8])
        if (next() < 0.4) text.delete(at - 2, 2)
      } else {
        peer.doc.transact(() => { for (let k = 1 + int(3); k > 0; k--) edit(...target(peer.doc)) })
      }
    } catch (e) { /* see above */ }
  }
  return {
    loose, roots, authors, vectors, updatesV2,
    clients: [...ids],
    updates: updates.map(textOf),
    states: peers.map(p => textOf(Y.encodeStateAsUpdate(p.doc))),
    statesV2: !v2 ? [] : peers.map(p => textOf(Y.encodeStateAsUpdateV2(p.doc)))
  }
}
