// Sessions of another temper than those of session.mjs: clients that reload under a new id, hear of each other through merged
// and v2 updates, make long deltas, and store large and deep values. Some are obfuscated, which keeps their structure alone.
import * as Y from 'yjs'
import { random, textOf } from './values.mjs'
import { rootTypes } from './describe.mjs'

const roots = ['t', 'a', 'm', 'x', 'e', 'y']
const keys = ['k', '', '1', 'constructor', 'toString', 'length', 'ü', '😀']
const names = ['src', 'class', 'on']
const formats = ['bold', 'italic', 'color', 'link', 'h']

export const wild = ({ seed }) => {
  const next = random(seed)
  const int = n => Math.floor(next() * n)
  const pick = list => list[int(list.length)]
  const one = makers => pick(makers)()
  const many = (n, make) => Array.from({ length: n }, make)

  const deep = depth => {
    let v = pick([1, 'x', null, -0])
    for (let i = 0; i < depth; i++) v = next() < 0.5 ? [v] : { ['k' + (i % 3)]: v }
    return v
  }
  const big = () => 'lorem ipsum 😀 '.repeat(1 + int(40))
  const value = () => one([
    () => deep(int(60)), big, () => int(1e9) - 5e8, () => next() * 1e6, () => new Uint8Array(int(40)), () => true, () => undefined,
    () => null, () => ({ a: { b: [1, { c: 'd' }] }, '': 0 }), () => BigInt(int(1e9))
  ])
  const attributes = () => Object.fromEntries(many(1 + int(3), () => [pick(formats), pick([true, null, 'red', { a: 1 }, 1, false, [1]])]))
  const xml = depth => {
    if (next() < 0.4) {
      const text = new Y.XmlText()
      text.applyDelta([{ insert: 'x' + int(9), attributes: attributes() }, { insert: 'yz' }])
      return text
    }
    const element = new Y.XmlElement(pick(['P', 'img', 'Ä', 'ul']))
    for (let i = int(3); i > 0; i--) element.setAttribute(pick(names), pick(['v', '', { o: 1 }, 7]))
    if (depth > 0) element.insert(0, many(int(3), () => xml(depth - 1)))
    return element
  }
  const inner = depth => depth > 0 ? nested(depth - 1) : 1
  const nested = depth => one([
    () => new Y.Text(pick(['abc', '', '😀x'])), () => new Y.Map([[pick(keys), inner(depth)]]), () => Y.Array.from([1, inner(depth), 'z']), () => xml(depth),
    () => {
      const text = new Y.Text()
      text.applyDelta([{ insert: 'ab', attributes: attributes() }, { insert: { img: 1 } }, { insert: '\n', attributes: attributes() }])
      return text
    }
  ])

  const delta = length => {
    const ops = []
    for (let left = length; left > 0 && next() < 0.7;) {
      const n = 1 + int(Math.min(left, 5))
      left -= n
      ops.push(pick([{ retain: n }, { retain: n, attributes: attributes() }, { delete: n }]))
    }
    return [...ops, { insert: 'end', attributes: attributes() }]
  }
  const editText = (text, n) => {
    const at = int(n + 1)
    switch (int(8)) {
      case 0: case 1: return text.insert(at, one([() => 'a', () => 'word ', () => '😀', () => '\n', big]))
      case 2: return text.insert(at, 'F', attributes())
      case 3: case 4: return n > 0 && text.format(int(n), 1 + int(3), attributes())
      case 5: return at < n && text.delete(at, 1 + int(Math.min(6, n - at)))
      case 6: return text.applyDelta(delta(n))
      default: return text.insertEmbed(at, next() < 0.5 ? { e: deep(3) } : nested(1), attributes())
    }
  }
  const plain = v => v === undefined || typeof v === 'bigint' ? 0 : v // arrays refuse these
  const editArray = (array, n) => {
    const at = int(n + 1)
    if (at < n && next() < 0.35) return array.delete(at, 1 + int(Math.min(4, n - at)))
    if (at < n && next() < 0.2) { // moved
      const v = array.get(at)
      if (!(v instanceof Y.AbstractType) && !(v instanceof Y.Doc)) { array.delete(at, 1); return array.insert(int(n), [plain(v)]) }
    }
    array.insert(at, [...many(1 + int(5), () => plain(value())), ...next() < 0.3 ? [nested(2)] : []])
  }
  const editMap = map => next() < 0.25
    ? map.delete(pick(keys))
    : map.set(pick(keys), next() < 0.4 ? nested(2) : next() < 0.1 ? new Y.Doc({ guid: 's' + int(5) }) : value())
  const editXml = (type, n) => {
    if (type instanceof Y.XmlElement && next() < 0.3) {
      return next() < 0.3 ? type.removeAttribute(pick(names)) : type.setAttribute(pick(names), one([() => '1', () => 2, () => null, () => nested(0)]))
    }
    n > 0 && next() < 0.3 ? type.delete(int(n), 1) : type.insert(int(n + 1), [xml(2)])
  }
  const edit = doc => {
    const name = pick(roots)
    let type = doc.get(name, rootTypes[name])
    for (let i = int(4); i > 0; i--) {
      const types = []
      for (let item = type._start; item; item = item.right) if (!item.deleted && item.content.type) types.push(item.content.type)
      for (const item of type._map.values()) if (!item.deleted && item.content.type) types.push(item.content.type)
      if (types.length > 0) type = pick(types)
    }
    if (type instanceof Y.Text) return editText(type, type._length)
    if (type instanceof Y.Map) return editMap(type)
    if (type instanceof Y.Array) return editArray(type, type._length)
    editXml(type, type._length)
  }

  const updates = []
  const updatesV2 = []
  const authors = []
  const vectors = []
  const ids = new Set()
  const newID = () => {
    const id = one([() => int(2 ** 32), () => Number.MAX_SAFE_INTEGER - int(100), () => 1 + int(50), () => 2 ** 31 + int(5)])
    if (ids.has(id)) return newID()
    ids.add(id)
    return id
  }
  const peers = many(2 + int(3), () => 0).map((_, i) => {
    const doc = new Y.Doc({ gc: next() < 0.7, guid: 'peer' + i })
    doc.clientID = newID()
    if (next() < 0.6) for (const name of roots) doc.get(name, rootTypes[name])
    doc.on('update', (u, origin) => { if (origin !== 'remote') { updates.push(u); authors.push(i) } })
    doc.on('updateV2', (u, origin) => { if (origin !== 'remote') updatesV2.push(textOf(u)) })
    return { doc, heard: 0 }
  })
  const hear = (peer, me) => {
    const part = []
    for (; peer.heard < updates.length && next() < 0.85; peer.heard++) if (authors[peer.heard] !== me) part.push(updates[peer.heard])
    if (part.length === 0) return
    switch (int(4)) {
      case 0: return Y.applyUpdate(peer.doc, Y.mergeUpdates(part), 'remote')
      case 1: return Y.applyUpdateV2(peer.doc, Y.mergeUpdatesV2(part.map(Y.convertUpdateFormatV1ToV2)), 'remote')
      default: for (const u of part) Y.applyUpdate(peer.doc, u, 'remote')
    }
  }
  for (let s = 15 + int(40); s > 0; s--) {
    const me = int(peers.length)
    const { doc } = peers[me]
    const roll = next()
    try { // Yjs stumbles over some of its own states: what it has done until then counts
      if (roll < 0.3) { hear(peers[me], me); vectors.push(textOf(Y.encodeStateVector(doc))) }
      else if (roll < 0.33) doc.clientID = newID()
      else doc.transact(() => { for (let n = 1 + int(4); n > 0; n--) edit(doc) })
    } catch (e) { /* see above */ }
  }
  const answer = { loose: false, roots, authors, vectors, clients: [...ids], updates: updates.map(textOf), updatesV2 }
  answer.states = peers.map(p => textOf(Y.encodeStateAsUpdate(p.doc)))
  answer.statesV2 = peers.map(p => textOf(Y.encodeStateAsUpdateV2(p.doc)))
  if (updates.length > 0 && next() < 0.15) { // what others have said is something else then
    Object.assign(answer, { updates: [textOf(Y.obfuscateUpdate(Y.mergeUpdates(updates)))], updatesV2: [], states: [], statesV2: [] })
  }
  return answer
}
