// Random edits of text, maps, arrays and XML.

import * as Y from 'yjs'

const WORDS = ['a', 'bc', 'Symphony', 'é', '漢字', '😀', '👩‍👩‍👧', ' ', '\n', 'x'.repeat(300)]
const VALUES = [0, -1, 1.5, 2 ** 40, true, false, null, '', 'text', [1, [2]], { k: { n: 1 } }, new Uint8Array([0, 255])]

/**
 * The place, or the one before it when it is inside a surrogate pair: Yjs puts
 * U+FFFD for the halves of a pair that is cut, on each client when it sees the cut
 * (yjs/yjs#248), and no user interface lets one do it.
 */
function between (text, at) {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code < 0xe000 ? at - 1 : at
}

function editText (text, r) {
  const now = text.toDelta().map(part => part.insert).join('') // toString of XML text has tags in it
  const from = between(now, r.below(now.length + 1))
  const to = between(now, Math.min(now.length, from + 1 + r.below(16)))
  if (r.chance(0.55) || to === from) text.insert(from, r.one(WORDS))
  else if (r.chance(0.6)) text.delete(from, to - from)
  else text.format(from, to - from, { [r.one(['bold', 'color'])]: r.one([true, null, 'red']) })
}

function editMap (map, r) {
  const key = `key ${r.below(6)}`
  if (r.chance(0.15)) map.delete(key)
  else if (r.chance(0.25)) map.set(key, r.one([() => new Y.Map(), () => new Y.Array(), () => new Y.Text('t')])())
  else map.set(key, r.one(VALUES))
}

function editArray (list, r) {
  const at = r.below(list.length + 1)
  const left = list.length - at
  if (r.chance(0.6) || left === 0) list.insert(at, r.chance(0.2) ? [new Y.Map()] : Array.from({ length: 1 + r.below(4) }, () => r.one(VALUES)))
  else list.delete(at, Math.min(left, 1 + r.below(3)))
}

function editXml (parent, r) {
  const at = r.below(parent.length + 1)
  if (r.chance(0.4) || parent.length === 0) parent.insert(at, [r.chance(0.5) ? new Y.XmlElement(r.one(['p', 'h1', 'li'])) : new Y.XmlText(r.one(WORDS))])
  else if (r.chance(0.2)) parent.delete(r.below(parent.length), 1)
  else {
    const child = parent.get(r.below(parent.length))
    if (child instanceof Y.XmlText) editText(child, r)
    else if (r.chance(0.5)) child.setAttribute(r.one(['class', 'id']), r.one(['a', 'b', '']))
    else editXml(child, r)
  }
}

/** The value, or something nested in it, to edit deeper. */
function nested (value, r) {
  if (value instanceof Y.Map) editMap(value, r)
  else if (value instanceof Y.Array) editArray(value, r)
  else if (value instanceof Y.Text) editText(value, r)
  else return false
  return true
}

/** Makes one random edit, sometimes several in one transaction. */
export function edit (doc, r) {
  doc.transact(() => {
    for (let n = r.chance(0.2) ? 1 + r.below(5) : 1; n > 0; n--) {
      const [text, map, list, xml] = [doc.getText('text'), doc.getMap('map'), doc.getArray('list'), doc.getXmlFragment('xml')]
      switch (r.below(6)) {
        case 0: editText(text, r); break
        case 1: editMap(map, r); break
        case 2: editArray(list, r); break
        case 3: editXml(xml, r); break
        case 4: if (!nested(map.get(`key ${r.below(6)}`), r)) editMap(map, r); break
        default: if (list.length === 0 || !nested(list.get(r.below(list.length)), r)) editArray(list, r)
      }
    }
  })
}
