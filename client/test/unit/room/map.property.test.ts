// SyncedMap is held to Map (P16, P19), alone and with another client.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Synced, type SyncedMap } from '../../../src'
import { offline, wired } from './rooms'
import { check, json } from './seeded'

type Op = { op: 'set', key: string, value: unknown } | { op: 'delete', key: string } | { op: 'clear' } | { op: 'update', values: Record<string, unknown> }

const key = fc.constantFrom('', 'a', 'b', 'c', 'toString', 'constructor', '__proto__', 'ключ', '0', '-1')
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('set' as const), key, value: json }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ op: 'clear' as const }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('update' as const), values: fc.dictionary(key, json, { maxKeys: 3, noNullPrototype: true }) }) })

const bare = (value: unknown): unknown => value instanceof Synced ? value.toJSON() : value

function both (map: SyncedMap<any>, model: Map<string, unknown>, op: Op): void {
  switch (op.op) {
    case 'set':
      expect(map.set(op.key, op.value as never)).toBe(map)
      model.set(op.key, op.value)
      return
    case 'delete': return expect(map.delete(op.key)).toBe(model.delete(op.key))
    case 'clear': return expect(map.clear()).toBe(model.clear())
    case 'update':
      map.update(op.values)
      for (const [key, value] of Object.entries(op.values)) model.set(key, value)
  }
}

function same (map: SyncedMap<any>, model: Map<string, unknown>, ordered = true): void {
  const order = (entries: unknown[]): unknown[] => ordered ? entries : entries.map(entry => fc.stringify(entry)).sort()
  expect(map.size).toBe(model.size)
  expect(map.toJSON()).toEqual(Object.fromEntries(model))
  expect(map.toImmutable()).toEqual(Object.fromEntries(model))
  expect(order([...map].map(([key, value]) => [key, bare(value)]))).toEqual(order([...model]))
  expect(order([...map.keys()])).toEqual(order([...model.keys()]))
  expect(order([...map.values()].map(bare))).toEqual(order([...model.values()]))
  for (const key of ['', 'a', 'b', 'c', 'toString', 'constructor', '__proto__', 'nowhere']) {
    expect(map.has(key)).toBe(model.has(key))
    expect(bare(map.get(key))).toEqual(model.get(key))
  }
  const visited: unknown[] = []
  map.forEach((value, key, self) => { visited.push([key, bare(value), self === map]) })
  expect(order(visited)).toEqual(order([...model].map(([key, value]) => [key, value, true])))
}

test('P16, P19: any operations give what they give on a Map, in its order', () => {
  check(fc.property(fc.array(op, { maxLength: 25, size: 'max' }), fc.boolean(), (ops, bundled) => {
    const room = offline()
    const map = room.newMap<any>('m')
    const model = new Map<string, unknown>()
    const all = (): void => {
      for (const one of ops) {
        both(map, model, one)
        same(map, model)
      }
    }
    if (bundled) room.bundle(all)
    else all()
    const copy = map.copy()
    same(copy, model)
    const other = offline()
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(room.doc))
    same(other.newMap('m'), model, false)
  }), 50)
})

test('P16: before it is anywhere, and put somewhere later', () => {
  check(fc.property(fc.array(op, { maxLength: 20, size: 'max' }), ops => {
    const room = offline()
    const map = room.newNestedMap<any>()
    const model = new Map<string, unknown>()
    ops.forEach((one, at) => {
      if (at === 8) room.newList('l').push(1, map)
      both(map, model, one)
      same(map, model)
    })
  }), 30)
})

test('P16, P21: two clients: each sees a Map, and both the same one', () => {
  check(fc.property(fc.array(fc.record({ who: fc.nat(1), one: op, deliver: fc.nat(3), pick: fc.nat() }), { maxLength: 30, size: 'max' }), steps => {
    const { rooms, deliver, settle } = wired(2)
    const maps = rooms.map(room => room.newMap<any>('m'))
    for (const { who, one, deliver: count, pick } of steps) {
      const map = maps[who]!
      const model = new Map(Object.entries(map.toJSON()))
      both(map, model, one)
      same(map, model, false)
      for (let n = 0; n < count; n++) deliver(waiting => pick % Math.max(waiting, 1))
    }
    settle()
    expect(maps[0]!.toJSON()).toEqual(maps[1]!.toJSON())
  }), 50)
})
