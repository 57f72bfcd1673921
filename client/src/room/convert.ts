/** From plain JSON and nested values to what Yjs stores, checked. */

import * as Y from 'yjs'
import { COUNTER_KEY } from './counter'
import { AttachedError, InvalidValueError } from './errors'
import type { Space } from './space'
import { bind, spaceOf, Synced, typeOf } from './synced'
import { elements } from './wrap'

/** How deep values may be nested: far more than an app means to, and far less than any stack holds. */
export const MAX_DEPTH = 200

/** Half of a pair, which no encoding of text can carry: the others would see something else. */
const LONE = /\p{Surrogate}/gu

/** Text as everybody will see it. */
export function wellFormed (text: string): string {
  return LONE.test(text) ? text.replace(LONE, '\uFFFD') : text
}

/** A map's key. Throws for one that is not text. */
export function checkKey (key: unknown, where = 'the key'): string {
  if (typeof key !== 'string') throw new InvalidValueError(`Symphony: ${where} is ${describe(key)}; keys are text`)
  if (key === COUNTER_KEY) throw new InvalidValueError(`Symphony: ${where} "${COUNTER_KEY}" is reserved: it marks counters`)
  return wellFormed(key)
}

/** One call's values on their way in. */
export class Conversion {
  readonly #space: Space
  /** Nested values that will stand for new types. */
  readonly #bound: Array<[item: Synced, type: Y.AbstractType<any>]> = []
  readonly #taken = new Set<Synced>()
  readonly #above: object[] = []

  constructor (space: Space) {
    this.#space = space
  }

  /** What to store. Throws InvalidValueError or AttachedError; `path` says where in the value. */
  value (value: unknown, path = 'the value'): unknown {
    switch (typeof value) {
      case 'boolean': return value
      case 'string': return wellFormed(value)
      case 'number':
        if (!Number.isFinite(value)) throw invalid(path, String(value), 'JSON has only finite numbers')
        return value
      case 'object':
        if (value === null) return null
        return value instanceof Synced ? this.#nested(value, path) : this.#composite(value, path)
      case 'undefined': throw invalid(path, 'undefined', 'use null, or leave it out')
      case 'bigint': throw invalid(path, 'a BigInt', 'use a number or text')
      default: throw invalid(path, describe(value))
    }
  }

  /** Nested values go on as part of the room. Call it when what `value` gave is stored. */
  settle (): void {
    for (const [item, type] of this.#bound) bind(item, type, this.#space)
  }

  #composite (value: object, path: string): Y.AbstractType<any> {
    if (this.#above.includes(value)) throw invalid(path, 'a value that contains itself')
    if (this.#above.length >= MAX_DEPTH) throw invalid(path, `nested more than ${MAX_DEPTH} levels deep`)
    this.#above.push(value)
    try {
      return Array.isArray(value) ? this.#array(value, path) : this.#object(value, path)
    } finally {
      this.#above.pop()
    }
  }

  #array (value: unknown[], path: string): Y.Array<unknown> {
    // from, not map: holes are undefined.
    return arrayOf(Array.from(value, (one, at) => this.value(one, `${path}[${at}]`)))
  }

  #object (value: object, path: string): Y.Map<unknown> {
    if (!isPlain(value)) throw invalid(path, describe(value), hint(value))
    return new Y.Map(Object.entries(value).map(([key, one]) => [checkKey(key, `${path}: the key`), this.value(one, `${path}.${key}`)]))
  }

  #nested (item: Synced, path: string): Y.AbstractType<any> {
    const from = spaceOf(item)
    const type = typeOf(item)
    if (from.root !== type || from === this.#space || this.#taken.has(item)) {
      throw new AttachedError(`Symphony: ${path} is in a room or in another value already; put in its copy() instead`)
    }
    this.#taken.add(item)
    return this.#clone(type, from, true)
  }

  /** A new type with the same content. With `moves`, the values of `from` will stand for the new ones. */
  #clone (type: Y.AbstractType<any>, from: Space, moves: boolean): Y.AbstractType<any> {
    const inner = (value: unknown): unknown => value instanceof Y.AbstractType ? this.#clone(value, from, moves) : value
    let made: Y.AbstractType<any>
    if (type instanceof Y.Array) made = arrayOf(elements(type, from).map(inner))
    else if (type instanceof Y.Map) made = new Y.Map([...type.entries()].map(([key, value]) => [key, inner(value)]))
    else made = type.clone()
    const item = from.wrappers.get(type)
    if (moves && item !== undefined) this.#bound.push([item, made])
    return made
  }

  /** A new type with the same content as one of `from`, which stays what it is. */
  copy (type: Y.AbstractType<any>, from: Space): Y.AbstractType<any> {
    return this.#clone(type, from, false)
  }
}

function arrayOf (content: unknown[]): Y.Array<unknown> {
  const array = new Y.Array<unknown>()
  array.push(content)
  return array
}

function isPlain (value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto === null || proto === Object.prototype) return true
  // Of another window.
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto as object, 'isPrototypeOf')
}

function invalid (path: string, what: string, cure?: string): InvalidValueError {
  return new InvalidValueError(`Symphony: ${path} is ${what}, which is not JSON${cure === undefined ? '' : `; ${cure}`}`)
}

function describe (value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
}

function hint (value: object): string {
  if (value instanceof Date) return 'use toISOString() or getTime()'
  if (value instanceof Map) return 'use Object.fromEntries(map)'
  if (value instanceof Set) return 'use [...set]'
  if (value instanceof Y.AbstractType) return 'use newNestedList, newNestedMap and their like instead of Yjs types'
  return 'use a plain object'
}
