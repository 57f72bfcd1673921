// SyncedList is held to Array (P12–P15, P19), alone and with another client.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { InvalidValueError, type Room, Synced, type SyncedList } from '../../../src'
import { offline, wired } from './rooms'
import { check, json } from './seeded'

/** An operation; its numbers choose among what is there. */
type Op = { op: 'push' | 'unshift', values: unknown[] } | { op: 'insert', at: number, values: unknown[] } |
  { op: 'set', at: number, value: unknown } | { op: 'delete', at: number, count: number } | { op: 'move', from: number, to: number } |
  { op: 'clear' | 'pop' | 'shift' }

const nat = fc.nat(40)
const move = fc.record({ op: fc.constant('move' as const), from: nat, to: nat })
const op = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Op> => fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('push' as const, 'unshift' as const), values: fc.array(value, { maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('insert' as const), at: nat, values: fc.array(value, { maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('set' as const), at: nat, value }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('delete' as const), at: nat, count: fc.nat(3) }) },
  { weight: 6, arbitrary: move },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('clear' as const, 'pop' as const, 'shift' as const) }) })

/** Does to a list and to an array the same; what they return must be the same too. */
function both (list: SyncedList, model: unknown[], op: Op): void {
  const { length } = model
  switch (op.op) {
    case 'push': return expect(list.push(...op.values)).toBe(model.push(...op.values))
    case 'unshift': return expect(list.unshift(...op.values)).toBe(model.unshift(...op.values))
    case 'insert':
      list.insert(op.at % (length + 1), ...op.values)
      model.splice(op.at % (length + 1), 0, ...op.values)
      return
    case 'clear':
      list.clear()
      model.length = 0
      return
    case 'pop': return expect(list.pop()).toEqual(model.pop())
    case 'shift': return expect(list.shift()).toEqual(model.shift())
  }
  if (length === 0) return
  switch (op.op) {
    case 'set':
      list.set(op.at % length, op.value)
      model[op.at % length] = op.value
      return
    case 'delete':
      list.delete(op.at % length, op.count)
      model.splice(op.at % length, op.count)
      return
    case 'move':
      list.move(op.from % length, op.to % length)
      model.splice(op.to % length, 0, ...model.splice(op.from % length, 1))
  }
}

const bare = (value: unknown): unknown => value instanceof Synced ? value.toJSON() : value

function same (list: SyncedList, model: unknown[]): void {
  expect(list.toJSON()).toEqual(model)
  expect(list.toImmutable()).toEqual(model)
  expect(list.length).toBe(model.length)
  for (let at = -1; at <= model.length; at++) expect(bare(list.get(at))).toEqual(model[at])
  expect([...list].map(bare)).toEqual(model)
}

/** Every question, asked of both. */
function questions (list: SyncedList, model: unknown[], a: number, b: number): void {
  for (const value of [...model, 'nowhere', null]) {
    const equals = (one: unknown): boolean => fc.stringify(bare(one)) === fc.stringify(value)
    expect(bare(list.find(equals))).toEqual(model.find(equals))
    expect(list.findIndex(equals)).toBe(model.findIndex(equals))
    expect(list.every(equals)).toBe(model.every(equals))
    expect(list.some(equals)).toBe(model.some(equals))
    expect(list.filter(equals).map(bare)).toEqual(model.filter(equals))
    if (typeof value === 'object' && value !== null) continue // an Array asks for identity
    expect(list.indexOf(value)).toBe(model.indexOf(value))
    expect(list.lastIndexOf(value)).toBe(model.lastIndexOf(value))
    expect(list.includes(value)).toBe(model.indexOf(value) >= 0)
    for (const from of [a, b]) {
      expect(list.indexOf(value, from)).toBe(model.indexOf(value, from))
      expect(list.lastIndexOf(value, from)).toBe(model.lastIndexOf(value, from))
    }
  }
  const live = [...list]
  live.forEach((value, at) => {
    if (!(value instanceof Synced)) return
    expect([list.indexOf(value), list.lastIndexOf(value), list.get(at) === value]).toEqual([at, at, true])
  })
  expect(list.slice(a, b).map(bare)).toEqual(model.slice(a, b))
  expect(bare(list.at(a))).toEqual(model.at(a))
  expect(list.map((value, at) => [bare(value), at])).toEqual(model.map((value, at) => [value, at]))
  expect(list.reduce((sum: number, _, at) => sum + at, 0)).toBe(model.reduce((sum: number, _, at) => sum + at, 0))
  expect([...list.keys()]).toEqual([...model.keys()])
  expect([...list.entries()].map(([at, value]) => [at, bare(value)])).toEqual([...model.entries()])
  const visited: unknown[] = []
  list.forEach((value, at, self) => { visited.push([bare(value), at, self === list]) })
  expect(visited).toEqual(model.map((value, at) => [value, at, true]))
}

test('P12–P15, P19: any operations give what they give on an Array', () => {
  check(fc.property(fc.array(op(json), { maxLength: 25, size: 'max' }), fc.integer({ min: -12, max: 12 }), fc.integer({ min: -12, max: 12 }), (ops, a, b) => {
    const room = offline()
    const list = room.newList('l')
    const model: unknown[] = []
    for (const one of ops) {
      both(list, model, one)
      same(list, model)
    }
    questions(list, model, a, b)
    // And somebody who comes later sees the same.
    const other = offline()
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(room.doc))
    same(other.newList('l'), model)
  }), 60)
})

test('P14, P15: in one bundle, and nested in another value', () => {
  check(fc.property(fc.array(op(json), { maxLength: 20, size: 'max' }), ops => {
    const room = offline()
    const map = room.newMap<any>('m')
    const list = room.newNestedList(['x'])
    const model: unknown[] = ['x']
    ops.slice(0, 5).forEach(one => { both(list, model, one) }) // before it is anywhere
    same(list, model)
    map.set('list', list)
    same(list, model)
    expect(map.get('list')).toBe(list)
    room.bundle(() => {
      for (const one of ops.slice(5)) {
        both(list, model, one)
        same(list, model)
      }
    })
    same(list, model)
    expect(map.toJSON()).toEqual({ list: model })
    const copy = list.copy()
    same(copy, model)
    room.newList('other').push(copy)
    same(copy, model)
    expect(room.newList('other').toJSON()).toEqual([model])
  }), 30)
})

test('P14: a failed call changes nothing', () => {
  check(fc.property(fc.array(json, { maxLength: 5 }), fc.nat(5), (values, at) => {
    const list = offline().newList('l')
    list.push(...values)
    if (values.length > 1) list.move(0, values.length - 1)
    const before = list.toJSON()
    expect(() => { list.insert(Math.min(at, values.length), 1, undefined) }).toThrow(InvalidValueError)
    expect(() => list.push({ a: [NaN] })).toThrow(InvalidValueError)
    if (values.length > 0) expect(() => { list.set(at % values.length, 1n) }).toThrow(InvalidValueError)
    expect(list.toJSON()).toEqual(before)
  }), 30)
})

/** What two or three people do to one list, and when it reaches the others. */
type Step = { who: number, deliver: number, edit: number } & ({ op: 'insert', at: number } | { op: 'delete', at: number } | { op: 'move', from: number, to: number } | { op: 'edit', at: number })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('insert' as const), at: nat }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), at: nat }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('move' as const), from: nat, to: nat }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('edit' as const), at: nat }) })
  .chain(op => fc.record({ who: fc.nat(2), deliver: fc.nat(4), edit: fc.nat() }).map(rest => ({ ...op, ...rest }) as Step))

function play (steps: Step[], clients: number): void {
  const { rooms, deliver, settle } = wired(clients)
  const lists = rooms.map(room => room.newList<Record<string, number>>('l'))
  const inserted = new Set<number>()
  const deleted = new Set<number>()
  const edits = new Map<string, number>()
  let next = 0
  let turn = 0
  for (const one of steps) {
    const who = one.who % clients
    const list = lists[who]!
    const before = list.toJSON().map(({ id }) => id)
    const { length } = list
    if (one.op === 'insert') {
      inserted.add(next)
      list.insert(one.at % (length + 1), { id: next })
      before.splice(one.at % (length + 1), 0, next++)
    } else if (length > 0) {
      if (one.op === 'delete') {
        deleted.add(list.get(one.at % length)!.get('id')!)
        list.delete(one.at % length)
        before.splice(one.at % length, 1)
      } else if (one.op === 'move') {
        list.move(one.from % length, one.to % length)
        before.splice(one.to % length, 0, ...before.splice(one.from % length, 1))
      } else {
        const item = list.get(one.at % length)!
        item.set(`by${who}`, ++turn)
        edits.set(`${item.get('id')}.by${who}`, turn)
      }
    }
    expect(list.toJSON().map(({ id }) => id), 'here, it is as on an Array').toEqual(before)
    for (let n = 0; n < one.deliver; n++) deliver(waiting => one.edit % Math.max(waiting, 1))
  }
  settle()
  const [first, ...rest] = lists.map(list => list.toJSON())
  for (const other of rest) expect(other).toEqual(first)
  const there = first!.map(({ id }) => id!)
  expect(there.toSorted((a, b) => a - b), 'neither lost nor twice').toEqual([...inserted].filter(id => !deleted.has(id)))
  for (const item of first!) {
    for (const [key, value] of Object.entries(item)) if (key !== 'id') expect(value, 'edits survive moves').toBe(edits.get(`${item.id}.${key}`))
    for (const [key, value] of edits) if (key.startsWith(`${item.id}.`)) expect(item[key.split('.')[1]!]).toBe(value)
  }
}

test('P14, P21: two clients move, insert, delete and edit at once: nothing is lost, nothing is there twice', () => {
  check(fc.property(fc.array(step, { maxLength: 30, size: 'max' }), steps => { play(steps, 2) }), 150)
})

test('P14, P21: three clients', () => {
  check(fc.property(fc.array(step, { maxLength: 30, size: 'max' }), steps => { play(steps, 3) }), 100)
})

test('P14, P21: all operations of two clients converge', () => {
  check(fc.property(fc.array(fc.record({ who: fc.nat(1), one: op(json), deliver: fc.nat(3), pick: fc.nat() }), { maxLength: 30, size: 'max' }), steps => {
    const { rooms, deliver, settle } = wired(2)
    const lists = rooms.map((room: Room) => room.newList('l'))
    for (const { who, one, deliver: count, pick } of steps) {
      const list = lists[who]!
      const model = list.toJSON()
      both(list, model, one)
      same(list, model)
      for (let n = 0; n < count; n++) deliver(waiting => pick % Math.max(waiting, 1))
    }
    settle()
    same(lists[0]!, lists[1]!.toJSON())
  }), 60)
})
