// Descriptions of documents, to compare them by.
import * as Y from 'yjs'
import { createHash } from 'node:crypto'
import { bytesOf, textOf, show, isType } from './values.mjs'

const id = i => i === null ? '-' : i.client + ':' + i.clock

// unitsOf lists the content of a struct unit by unit.
const unitsOf = struct => {
  const n = struct.length
  if (!(struct instanceof Y.Item)) return new Array(n).fill(struct.constructor.name)
  const c = struct.content
  const name = c.constructor.name
  switch (name) {
    case 'ContentDeleted': return new Array(n).fill('deleted')
    case 'ContentString': return Array.from({ length: n }, (_, i) => 's' + c.str.charCodeAt(i))
    case 'ContentAny': case 'ContentJSON': return c.arr.map(v => name + show(v))
    case 'ContentBinary': return ['b' + textOf(c.content)]
    case 'ContentEmbed': return ['e' + show(c.embed)]
    case 'ContentFormat': return ['f' + c.key + '=' + show(c.value)]
    case 'ContentType': return ['t' + c.type.constructor.name + (c.type.nodeName ?? '') + '/' + (c.type.hookName ?? '')]
    case 'ContentDoc': return ['d' + c.doc.guid + show(c.opts)]
  }
  throw new Error('content ' + name)
}

// listStructs describes structs clock by clock, so that how they are cut does not show.
const listStructs = (structs, parentOf, out) => {
  for (const struct of structs) {
    if (struct.constructor.name === 'Skip') continue
    const { client, clock } = struct.id
    unitsOf(struct).forEach((unit, i) => {
      let line = client + ':' + (clock + i) + ' ' + unit
      if (struct instanceof Y.Item) {
        const origin = i === 0 ? id(struct.origin) : client + ':' + (clock + i - 1)
        line += ' ' + origin + ' ' + id(struct.rightOrigin) + ' ' + parentOf(struct, i) + (struct.deleted ? ' x' : '')
      }
      out.push(line)
    })
  }
}

const parentInDoc = item => {
  const p = item.parent
  if (!p) return '?'
  const where = p._item ? id(p._item.id) : 'root ' + Y.findRootTypeKey(p)
  return where + ' ' + JSON.stringify(item.parentSub)
}

const parentInUpdate = (item, i) => {
  if (i > 0 || item.origin || item.rightOrigin) return ''
  const p = item.parent
  return (typeof p === 'string' ? 'root ' + p : id(p)) + ' ' + JSON.stringify(item.parentSub)
}

const listDeletes = (ds, out) => {
  for (const [client, ranges] of ds.clients) {
    for (const r of ranges) for (let i = 0; i < r.len; i++) out.push('delete ' + client + ':' + (r.clock + i))
  }
}

const listOrder = (type, where, out) => {
  for (let item = type._start; item; item = item.right) {
    for (let i = 0; i < item.length; i++) out.push(where + ' ' + item.id.client + ':' + (item.id.clock + i) + (item.deleted ? 'x' : ''))
    if (!item.deleted && item.content.type) listOrder(item.content.type, id(item.id), out)
  }
  for (const key of [...type._map.keys()].sort()) {
    const item = type._map.get(key)
    out.push(where + ' key ' + JSON.stringify(key) + ' ' + item.id.client + ':' + (item.id.clock + item.length - 1) + (item.deleted ? 'x' : ''))
    if (!item.deleted && item.content.type) listOrder(item.content.type, id(item.id), out)
  }
}

// dump lists everything a document holds: structs clock by clock, their order, and what is pending.
export const dump = doc => {
  const structs = []
  for (const list of doc.store.clients.values()) listStructs(list, parentInDoc, structs)
  const pending = []
  if (doc.store.pendingStructs) listStructs(Y.decodeUpdateV2(doc.store.pendingStructs.update).structs, parentInUpdate, pending)
  if (doc.store.pendingDs) listDeletes(Y.decodeUpdateV2(doc.store.pendingDs).ds, pending)
  const order = []
  for (const name of [...doc.share.keys()].sort()) listOrder(doc.share.get(name), 'root ' + name, order)
  return { structs: [...new Set(structs)].sort(), order, pending: [...new Set(pending)].sort() }
}

// relaxed takes halves of surrogate pairs and U+FFFD for one. A peer that has split a pair keeps U+FFFD for good, and
// which of the two is taken when both are at hand depends on the order even in Yjs. In JSON, Yjs loses lone surrogates of
// what has to wait, which it keeps in the v2 encoding.
const relaxed = d => {
  const relax = line => line.replace(/ s5[5-7]\d\d\d /, ' s65533 ').replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd')
  return { structs: d.structs.map(relax).sort(), order: d.order, pending: d.pending.map(relax).sort() }
}

// loosened does not look at text at all: for sessions in which Yjs contradicts itself, see session.mjs.
const loosened = d => {
  const loosen = line => line.replace(/ s\d+ /, ' s ')
  return { structs: d.structs.map(loosen).sort(), order: d.order, pending: d.pending.map(loosen).sort() }
}

const hash = v => createHash('sha256').update(JSON.stringify(v)).digest('base64').slice(0, 22)

const kindOf = type => {
  if (type instanceof Y.XmlHook) return 'hook'
  if (type instanceof Y.Map) return 'map'
  if (type instanceof Y.Array) return 'array'
  if (type instanceof Y.XmlText) return 'xmltext'
  if (type instanceof Y.Text) return 'text'
  if (type instanceof Y.XmlElement) return 'element'
  return 'fragment'
}

const entries = (pairs, value) => '{' + pairs.sort((a, b) => a[0] < b[0] ? -1 : 1).map(([k, v]) => JSON.stringify(k) + ':' + value(v)).join() + '}'

// tree writes a type with all that is in it, formats and attributes included, members sorted.
export const tree = v => {
  if (!isType(v)) return show(v, true)
  const kind = kindOf(v)
  const own = []
  v._map.forEach((item, key) => { if (!item.deleted) own.push([key, item.content.getContent()[item.length - 1]]) })
  const name = kind === 'element' ? ',"name":' + JSON.stringify(v.nodeName) : kind === 'hook' ? ',"name":' + JSON.stringify(v.hookName) : ''
  const attributes = own.length > 0 ? ',"entries":' + entries(own, tree) : ''
  let list = ''
  if (kind === 'text' || kind === 'xmltext') {
    list = ',"delta":[' + v.toDelta().map(op => '{"insert":' + tree(op.insert) + (op.attributes ? ',"attributes":' + entries(Object.entries(op.attributes), a => show(a, true)) : '') + '}').join() + ']'
  } else if (kind !== 'map' && kind !== 'hook') {
    list = ',"items":[' + v.toArray().map(tree).join() + ']'
  }
  return '{"kind":"' + kind + '"' + name + ',"length":' + v._length + attributes + list + '}'
}

// rootTypes says what the roots of generated sessions are, by the first letter of their names.
export const rootTypes = { t: Y.Text, a: Y.Array, m: Y.Map, x: Y.XmlFragment, e: Y.XmlElement, y: Y.XmlText }

const typeRoots = (doc, names) => { for (const name of names ?? []) doc.get(name, rootTypes[name[0]]) }

// newDoc makes a document with the roots of a session. Yjs deletes formats that have become redundant whenever it applies
// an update, which makes the way updates were grouped show in the result; without cleanup it is kept from that.
export const newDoc = ({ gc = true, cleanup = false, roots = [], clientID } = {}) => {
  const doc = new Y.Doc({ gc, guid: 'oracle' })
  if (clientID !== undefined) doc.clientID = clientID
  if (!cleanup) doc.on('afterTransaction', tr => { tr._needFormattingCleanup = false })
  typeRoots(doc, roots)
  return doc
}

// describe answers what is asked for in want:
//   vector, state  encodings · pending  what waits · dump, hash  everything, struct by struct; core is without what waits
//         (strict leaves out the relaxed hashes)
//   json  toJSON of each root, members in their order · tree  each root with all that is in it
export const describe = (doc, want, { loose = false, strict = false } = {}) => {
  const out = { pending: !!(doc.store.pendingStructs || doc.store.pendingDs) }
  if (want.vector) out.vector = textOf(Y.encodeStateVector(doc))
  if (want.state) out.state = textOf(Y.encodeStateAsUpdate(doc))
  if (want.dump || want.hash) {
    const d = dump(doc)
    if (want.dump) out.dump = d
    const waits = ({ pending }) => pending
    const core = ({ structs, order }) => [structs, order]
    out.core = hash(core(d))
    out.exact = out.core + hash(waits(d))
    out.waits = d.pending
    if (!strict) {
      const r = loose ? loosened(relaxed(d)) : relaxed(d)
      out.coreRelaxed = hash(core(r))
      out.relaxed = out.coreRelaxed + hash(waits(r))
    }
  }
  const roots = {}
  for (const [name, type] of doc.share) {
    if (!rootTypes[name[0]] || type.constructor !== rootTypes[name[0]]) continue
    roots[name] = {}
    if (want.json) roots[name].json = show(type)
    if (want.tree) roots[name].tree = tree(type)
  }
  if (want.json || want.tree) out.roots = roots
  return out
}

// settle tries again what is pending. Yjs tries it when a clock has come that it noted as missing, but of several that
// structs of different clients need of one client it notes only one, and so leaves structs pending that it could use.
const settle = doc => {
  for (let state = ''; doc.store.pendingStructs && state !== textOf(Y.encodeStateVector(doc));) {
    state = textOf(Y.encodeStateVector(doc))
    const { update } = doc.store.pendingStructs
    doc.store.pendingStructs = null
    Y.applyUpdateV2(doc, update)
  }
}

// feed applies updates one after another. With prompt, nothing is left pending that could be used, not even for a while:
// each update is one transaction with what it makes possible.
export const feed = (doc, updates, { v2 = false, prompt = false } = {}, after = () => {}) => {
  const apply = v2 ? Y.applyUpdateV2 : Y.applyUpdate
  for (const u of updates ?? []) {
    prompt ? doc.transact(() => { apply(doc, bytesOf(u)); settle(doc) }) : apply(doc, bytesOf(u))
    after()
  }
  settle(doc)
}

// load applies updates one after another and describes what they make. Those in merge are merged and come first. With
// once, it applies them in one transaction. With steps, waiting says after which of them something was pending. With then,
// it goes on with those and describes the document again. With late, the roots get their types only then.
export const load = q => {
  const doc = newDoc(q.late ? { ...q, roots: [] } : q)
  if (q.merge) q = { ...q, updates: [textOf(Y.mergeUpdates(q.merge.map(bytesOf))), ...q.updates ?? []] }
  const waiting = []
  const note = () => { if (q.steps) waiting.push(!!(doc.store.pendingStructs || doc.store.pendingDs)) }
  const all = () => feed(doc, q.updates, q, note)
  q.once ? doc.transact(all) : all()
  if (q.late) typeRoots(doc, q.roots)
  const out = describe(doc, q.want ?? {}, q)
  if (q.steps) out.waiting = waiting
  if (q.then) {
    feed(doc, q.then, q)
    out.then = describe(doc, q.want ?? {}, q)
  }
  return out
}
