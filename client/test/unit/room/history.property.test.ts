// History is held to a model: a stack of what there was (P17), and to leave others' changes alone (P18).

import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Room, SyncedCounter, SyncedList, SyncedMap, SyncedText } from '../../../src'
import { offline, wired } from './rooms'
import { check } from './seeded'

// lib0 takes Date.now when it is loaded: the test's clock must be there before.
const clock = vi.hoisted(() => {
  const clock = { now: 1_000_000 }
  Date.now = () => clock.now
  return clock
})

interface Values {
  list: SyncedList<any>
  map: SyncedMap<any>
  text: SyncedText
  counter: SyncedCounter
}

const values = (room: Room): Values => ({ list: room.newList('list'), map: room.newMap('map'), text: room.newText('text'), counter: room.newCounter('counter') })
const state = ({ list, map, text, counter }: Values): unknown => ({ list: list.toJSON(), map: map.toJSON(), text: text.toDelta(), counter: counter.value })

/** Each changes something, whatever is there. */
const CHANGES: Array<(values: Values, a: number, b: number) => void> = [
  ({ list }, a) => { list.push({ id: a, tags: [a] }) },
  ({ list }, a, b) => { list.insert(a % (list.length + 1), b, `${b}`) },
  ({ list }, a) => { if (list.length > 0) list.delete(a % list.length, 1 + a % 2); else list.push(a) },
  ({ list }, a, b) => { if (list.length > 1) list.move(a % list.length, b % list.length === a % list.length ? (b + 1) % list.length : b % list.length); else list.push(b) },
  ({ list }, a, b) => { if (list.length > 1) list.move(a % list.length, b % list.length === a % list.length ? (b + 1) % list.length : b % list.length); else list.push(b) },
  ({ list }, a, b) => { if (list.length > 0) list.set(a % list.length, { b }); else list.push(b) },
  ({ list }, a, b) => {
    const item = list.length === 0 ? undefined : list.get(a % list.length)
    if (typeof item === 'object') item.set('edited', b)
    else list.unshift({ b })
  },
  ({ map }, a, b) => { map.set(`k${a % 4}`, b % 2 === 0 ? b : { nested: [b] }) },
  ({ map }, a) => { if (!map.delete(`k${a % 4}`)) map.set('other', a) },
  ({ text }, a, b) => { text.insert(a % (text.length + 1), `<${b}>`) },
  ({ text }, a) => { if (text.length > 0) text.delete(a % text.length); else text.append('x') },
  ({ counter }, a) => { counter.increment(a + 1) },
  ({ list, map }, a) => {
    if (list.length > 0) list.clear()
    map.set('cleared', a)
  }
]

type Step = { op: 'change', which: number, a: number, b: number } | { op: 'undo' | 'redo' | 'clear' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ op: fc.constant('change' as const), which: fc.nat(CHANGES.length - 1), a: fc.nat(30), b: fc.nat(30) }) },
  { weight: 7, arbitrary: fc.constant({ op: 'undo' as const }) },
  { weight: 5, arbitrary: fc.constant({ op: 'redo' as const }) },
  { weight: 1, arbitrary: fc.constant({ op: 'clear' as const }) })

test('P17: undo and redo go through what there was, whatever was done', () => {
  check(fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.boolean(), (steps, bundled) => {
    const room = offline()
    const all = values(room)
    const { history } = room
    let past: unknown[] = []
    let future: unknown[] = []
    for (const one of steps) {
      const before = state(all)
      if (one.op === 'change') {
        const change = (): void => { CHANGES[one.which]!(all, one.a, one.b) }
        if (bundled || one.which === CHANGES.length - 1) room.bundle(change)
        else change()
        past.push(before)
        future = []
      } else if (one.op === 'clear') {
        history.clear()
        past = []
        future = []
      } else {
        const [from, to] = one.op === 'undo' ? [past, future] : [future, past]
        const expected = from.pop()
        expect(history[one.op]()).toBe(expected !== undefined)
        if (expected !== undefined) {
          to.push(before)
          expect(state(all), one.op).toEqual(expected)
        }
      }
      expect([history.canUndo(), history.canRedo()]).toEqual([past.length > 0, future.length > 0])
    }
  }), 200)
})

// Yjs alone leaves the second of two here: it follows the run of both to where only the first one is.
test('P17: what came back in one piece, and in parts since, is taken back as a whole', () => {
  const room = offline()
  const { list, text } = values(room)
  const { history } = room
  for (const two of [list, text]) {
    if (two === list) list.push(0, 1, 2)
    else text.insert(0, 'abc')
    if (two === list) list.clear()
    else text.delete(0, 3)
    history.undo()
    for (let at = 2; at >= 0; at--) two.delete(at)
    for (let at = 0; at < 3; at++) history.undo()
    expect(two.length).toBe(3)
    history.undo()
    expect(two.length).toBe(0)
    history.redo()
    expect(two.length).toBe(3)
    history.undo()
    expect([two.length, history.canUndo()]).toEqual([0, false])
    history.clear()
  }
})

test('P14, P17: the same of a short list in which much is moved', () => {
  const move = fc.record({ op: fc.constantFrom('move' as const, 'delete' as const, 'insert' as const, 'set' as const), a: fc.nat(5), b: fc.nat(5) })
  const step = fc.oneof({ weight: 3, arbitrary: move }, { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('undo' as const, 'undo' as const, 'redo' as const) }) })
  check(fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.boolean(), (steps, primitive) => {
    const { rooms: [room, other], settle } = wired(2)
    const [list, there] = [room!.newList<any>('l'), other!.newList<any>('l')]
    let next = 0
    const value = (): unknown => primitive ? next++ : { id: next++ }
    const [past, future]: unknown[][] = [[], []]
    for (const one of steps) {
      const before = list.toJSON()
      const { length } = before
      if (one.op === 'undo' || one.op === 'redo') {
        const [from, to] = one.op === 'undo' ? [past!, future!] : [future!, past!]
        const expected = from.pop()
        expect(room!.history[one.op]()).toBe(expected !== undefined)
        if (expected !== undefined) {
          to.push(before)
          expect(list.toJSON(), one.op).toEqual(expected)
        }
      } else {
        const [a, b] = [(one as { a: number }).a % Math.max(length, 1), (one as { b: number }).b % Math.max(length, 1)]
        if (length < 2 || one.op === 'insert') list.insert(a, value())
        else if (one.op === 'delete') list.delete(a)
        else if (one.op === 'set') list.set(a, value())
        else if (a === b) continue
        else list.move(a, b)
        past!.push(before)
        future!.length = 0
      }
      settle()
      expect(there.toJSON()).toEqual(list.toJSON())
    }
  }), 150)
})

test('P17, P21: and the other client sees the same all along', () => {
  check(fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
    const { rooms: [a, b], settle } = wired(2)
    const [here, there] = [values(a!), values(b!)]
    for (const one of steps) {
      if (one.op === 'change') a!.bundle(() => { CHANGES[one.which]!(here, one.a, one.b) })
      else a!.history[one.op]()
      settle()
      expect(state(there)).toEqual(state(here))
    }
  }), 80)
})

type Merging = { op: 'push' | 'bundle' | 'undo' | 'redo' | 'mergeAll' | 'stopMergingAll' | 'stopCaptureTimeout' } | { op: 'wait' | 'captureTimeout', ms: number }

test('P17: captureTimeout, stopCaptureTimeout, mergeAll and stopMergingAll make steps as they say', () => {
  const op: fc.Arbitrary<Merging> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('push' as const, 'push' as const, 'bundle' as const, 'undo' as const, 'redo' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('mergeAll' as const, 'stopMergingAll' as const, 'stopCaptureTimeout' as const) }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('wait' as const, 'captureTimeout' as const), ms: fc.constantFrom(0, 1, 100, 500, 1000) }) })
  check(fc.property(fc.array(op, { maxLength: 40, size: 'max' }), fc.constantFrom<number | undefined>(undefined, 0, 500), (ops, timeout) => {
    clock.now = 1_000_000
    const room = offline({ captureTimeout: timeout })
    const list = room.newList<number>('l')
    const { history } = room
    const past: number[] = []
    let future: number[] = []
    let capture: number = timeout ?? 0
    let merging = false
    let now = 0
    let last: number | null = null // when the open step got its last change
    for (const one of ops) {
      const before = list.length
      switch (one.op) {
        case 'push':
        case 'bundle': {
          if (one.op === 'push') list.push(1)
          else room.bundle(() => { list.push(1, 2); list.push(3) })
          const joins = last !== null && past.length > 0 && (merging || (one.op === 'push' && now - last < capture))
          if (!joins) past.push(before)
          future = []
          last = one.op === 'push' || merging ? now : null
          break
        }
        case 'undo':
        case 'redo': {
          const [from, to] = one.op === 'undo' ? [past, future] : [future, past]
          const expected = from.pop()
          expect(history[one.op]()).toBe(expected !== undefined)
          if (expected === undefined) break
          expect(list.length).toBe(expected)
          to.push(before)
          if (one.op === 'undo') last = null
          break
        }
        case 'mergeAll':
          history.mergeAll()
          merging = true
          last = null
          break
        case 'stopMergingAll':
          history.stopMergingAll()
          merging = false
          last = null
          break
        case 'stopCaptureTimeout':
          history.stopCaptureTimeout()
          last = null
          break
        case 'captureTimeout':
          history.captureTimeout = capture = one.ms
          expect(history.captureTimeout).toBe(one.ms)
          break
        case 'wait':
          clock.now = 1_000_000 + (now += one.ms)
      }
      expect([history.canUndo(), history.canRedo()]).toEqual([past.length > 0, future.length > 0])
    }
  }), 200)
})

test('P18: undoing everything of mine leaves exactly what the other did', () => {
  check(fc.property(fc.array(fc.record({ mine: fc.boolean(), a: fc.nat(20), b: fc.nat(20), deliver: fc.boolean() }), { maxLength: 30, size: 'max' }), fc.nat(3), (steps, redos) => {
    const { rooms: [a, b], settle } = wired(2)
    const lists = [a!.newList<string>('l'), b!.newList<string>('l')]
    const maps = [a!.newMap<any>('m'), b!.newMap<any>('m')]
    const counters = [a!.newCounter('c'), b!.newCounter('c')]
    const theirs: string[] = []
    let count = 0
    steps.forEach(({ mine, a: at, b: to, deliver }, n) => {
      const who = mine ? 0 : 1
      const list = lists[who]!
      if (mine && list.length > 1 && at % 3 === 0) list.move(at % list.length, to % list.length)
      else list.insert(at % (list.length + 1), `${mine ? 'mine' : 'theirs'} ${n}`)
      if (!mine) theirs.push(`theirs ${n}`)
      maps[who]!.set(`${mine ? 'mine' : 'theirs'} ${at % 3}`, n)
      counters[who]!.increment(mine ? 1000 : 1)
      if (!mine) count++
      if (deliver) settle()
    })
    settle()
    const theirMap = Object.fromEntries(Object.entries(maps[1]!.toJSON()).filter(([key]) => key.startsWith('theirs')))
    while (a!.history.undo());
    for (let n = 0; n < redos; n++) a!.history.redo()
    while (a!.history.undo());
    settle()
    expect(lists[0]!.toArray().toSorted()).toEqual(theirs.toSorted())
    expect(maps[0]!.toJSON()).toEqual(theirMap)
    expect(counters[0]!.value).toBe(count)
    expect([lists[1]!.toJSON(), maps[1]!.toJSON(), counters[1]!.value]).toEqual([lists[0]!.toJSON(), maps[0]!.toJSON(), counters[0]!.value])
  }), 120)
})

test('P14, P18: with undo and redo, two who move at once lose nothing and have nothing twice', () => {
  const step = fc.record({ who: fc.nat(1), what: fc.constantFrom('insert', 'move', 'move', 'move', 'delete', 'undo', 'undo', 'redo', 'edit'), a: fc.nat(20), b: fc.nat(20), deliver: fc.nat(3) })
  check(fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
    const { rooms, deliver, settle } = wired(2)
    const lists = rooms.map(room => room.newList<{ id: number, owner: number, by?: number }>('l'))
    let next = 0
    for (const { who, what, a, b, deliver: count } of steps) {
      const list = lists[who]!
      const { length } = list
      if (what === 'undo' || what === 'redo') rooms[who]!.history[what]()
      else if (what === 'insert' || length === 0) list.insert(a % (length + 1), { id: next++, owner: who })
      else if (what === 'move') list.move(a % length, b % length)
      else if (what === 'edit') list.get(a % length)!.set('by', a)
      else if (list.get(a % length)!.get('owner') === who) list.delete(a % length) // when two delete one and both undo it, it is there twice: so it is in Yjs
      // In order: should what an undo brings back overtake the deletion, both are there until that comes.
      for (let n = 0; n < count; n++) deliver()
      const ids = list.toJSON().map(({ id }) => id)
      expect(new Set(ids).size, 'nothing twice').toBe(ids.length)
    }
    settle()
    const ids = lists[0]!.toJSON().map(({ id }) => id)
    expect(new Set(ids).size, 'nothing twice').toBe(ids.length)
    expect(lists[1]!.toJSON()).toEqual(lists[0]!.toJSON())
  }), 200)
})
