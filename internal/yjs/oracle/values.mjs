// Values as text that loses nothing: JSON where JSON can say it, else {"$yjs": kind, "value": ...}. The Go side writes
// the same text (see AppendJSON), so answers are compared as strings.
import * as Y from 'yjs'

export const bytesOf = text => new Uint8Array(Buffer.from(text, 'base64'))
export const textOf = data => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')

// random is mulberry32: the same seed gives the same numbers everywhere.
export const random = seed => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

// isA is instanceof for objects that may have the key __proto__, which makes anything their prototype.
const isA = (v, constructor) => Object.getPrototypeOf(v) === constructor.prototype
export const isType = v => v instanceof Y.AbstractType && Object.hasOwn(v, '_map')

const tagged = (kind, value) => '{"$yjs":"' + kind + '"' + (value === undefined ? '' : ',"value":' + value) + '}'

// show writes a value. With sort, the members of objects come in the order of their keys.
export const show = (v, sort = false) => {
  switch (typeof v) {
    case 'undefined': return tagged('undefined')
    case 'boolean': return String(v)
    case 'bigint': return tagged('bigint', '"' + v + '"')
    case 'string': return JSON.stringify(v)
    case 'number':
      if (Object.is(v, -0)) return '-0'
      return Number.isFinite(v) ? String(v) : tagged(String(v))
  }
  if (v === null) return 'null'
  if (Array.isArray(v)) return '[' + v.map(e => show(e, sort)).join() + ']'
  if (ArrayBuffer.isView(v)) return tagged('bytes', '"' + textOf(v) + '"')
  if (isA(v, Y.Doc)) return tagged('doc', JSON.stringify(v.guid))
  if (isType(v)) return show(v.toJSON(), sort)
  const keys = Object.keys(v)
  if (sort) keys.sort()
  const object = '{' + keys.map(k => JSON.stringify(k) + ':' + show(v[k], sort)).join() + '}'
  return keys.includes('$yjs') ? tagged('object', object) : object
}

// parse reads what show writes.
export const parse = text => untag(JSON.parse(text))

const untag = v => {
  if (v === null || typeof v !== 'object') return v
  if (Array.isArray(v)) return v.map(untag)
  if (!Object.hasOwn(v, '$yjs')) return untagMembers(v)
  switch (v.$yjs) {
    case 'undefined': return undefined
    case 'bigint': return BigInt(v.value)
    case 'bytes': return bytesOf(v.value)
    case 'object': return untagMembers(v.value)
    default: return Number(v.$yjs)
  }
}

const untagMembers = v => Object.fromEntries(Object.entries(v).map(([k, e]) => [k, untag(e)]))
