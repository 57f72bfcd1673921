// Edits made by real Yjs, to compare those of Go with.
import * as Y from 'yjs'
import { textOf, parse } from './values.mjs'
import { newDoc, describe, feed } from './describe.mjs'

// make turns ["kind", ...] into a nested type, ["value", text] into a value.
const make = spec => {
  switch (spec[0]) {
    case 'value': return parse(spec[1])
    case 'array': return Y.Array.from(spec[1].map(make))
    case 'map': return new Y.Map(Object.entries(spec[1]).map(([k, v]) => [k, make(v)]))
    case 'text': return new Y.Text(spec[1])
    case 'xmltext': { const t = new Y.XmlText(); t.insert(0, spec[1]); return t }
    case 'hook': return new Y.XmlHook(spec[1])
  }
  const element = spec[0] === 'element' ? new Y.XmlElement(spec[1]) : new Y.XmlFragment()
  for (const [k, v] of Object.entries(spec[3] ?? {})) element.setAttribute(k, make(v))
  element.insert(0, (spec[2] ?? []).map(make))
  return element
}

const attributes = text => text === undefined ? undefined : parse(text)

const verbs = {
  insertText: (t, e) => t.insert(e.at, e.text, attributes(e.attributes)),
  insertEmbed: (t, e) => t.insertEmbed(e.at, make(e.value), attributes(e.attributes)),
  format: (t, e) => t.format(e.at, e.length, attributes(e.attributes)),
  delete: (t, e) => t.delete(e.at, e.length),
  delta: (t, e) => t.applyDelta(e.ops.map(op => ({
    ...(op.insert ? { insert: make(op.insert) } : {}), ...(op.retain ? { retain: op.retain } : {}), ...(op.delete ? { delete: op.delete } : {}),
    ...(op.attributes ? { attributes: parse(op.attributes) } : {})
  }))),
  insert: (t, e) => t.insert(e.at, e.values.map(make)),
  set: (t, e) => t instanceof Y.Map ? t.set(e.key, make(e.value)) : t.setAttribute(e.key, make(e.value)),
  unset: (t, e) => t instanceof Y.Map ? t.delete(e.key) : t.removeAttribute(e.key)
}

// reach goes from a root along indexes and keys to a nested type.
const reach = (doc, e) => {
  let type = doc.share.get(e.root)
  for (const step of e.path ?? []) {
    if (typeof step === 'string') type = type._map.get(step).content.type
    else if (type instanceof Y.Text) {
      let at = step
      let item = type._start
      for (; item.deleted || !item.countable || at >= item.length; item = item.right) if (!item.deleted && item.countable) at -= item.length
      type = item.content.type
    } else type = type.get(step)
  }
  return type
}

// edit loads updates and makes transactions of edits as a client. It answers the update of each, and the document.
export const edit = q => {
  const doc = newDoc(q)
  doc.clientID = q.client
  feed(doc, q.updates, q)
  const updates = []
  doc.on('update', u => updates.push(textOf(u)))
  for (const transaction of q.transactions) {
    doc.transact(() => { for (const e of transaction) verbs[e.verb](reach(doc, e), e) })
  }
  return { updates, ...describe(doc, q.want) }
}
