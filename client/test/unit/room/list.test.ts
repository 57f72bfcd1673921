// SyncedList, example by example. Against Array with random operations: list.property.test.ts.

import { describe, expect, test } from 'vitest'
import { AttachedError, IndexError, InvalidValueError, SyncedList, SyncedMap } from '../../../src'
import { offline, wired } from './rooms'

describe('P12 and P15: questions as of an Array', () => {
  test('find, indexOf, lastIndexOf', () => {
    const list = offline().newList<any>('l')
    list.push('a', 'b', 'a', { x: 1 }, { x: 1 }, [1])
    expect(list.find(one => one === 'b')).toBe('b')
    expect(list.find(() => false)).toBeUndefined()
    expect([list.indexOf('a'), list.lastIndexOf('a'), list.indexOf('z'), list.lastIndexOf('z')]).toEqual([0, 2, -1, -1])
    expect([list.indexOf({ x: 1 }), list.lastIndexOf({ x: 1 }), list.indexOf([1]), list.indexOf({ x: 2 })]).toEqual([3, 4, 5, -1])
    expect([list.indexOf(list.get(4)), list.lastIndexOf(list.get(3))]).toEqual([4, 3])
  })

  test('nested values are alive, toArray and toJSON are plain', () => {
    const list = offline().newList<{ x: number, tags: string[] }>('l')
    expect(list.push({ x: 1, tags: ['a'] })).toBe(1)
    const first = list.get(0)!
    expect(first).toBeInstanceOf(SyncedMap)
    expect(first.get('tags')).toBeInstanceOf(SyncedList)
    first.get('tags')!.push('b')
    first.set('x', 2)
    expect(list.toArray()).toEqual([{ x: 2, tags: ['a', 'b'] }])
    expect(JSON.stringify(list)).toBe('[{"x":2,"tags":["a","b"]}]')
    expect(list.get(0)).toBe(first)
    expect([...list]).toEqual([first])
  })
})

test('P14: move, every pair, nested values survive', () => {
  for (let from = 0; from < 5; from++) {
    for (let to = 0; to < 5; to++) {
      const list = offline().newList<{ n: number }>('l')
      const model = [0, 1, 2, 3, 4]
      list.push(...model.map(n => ({ n })))
      const values = [...list]
      list.move(from, to)
      model.splice(to, 0, ...model.splice(from, 1))
      expect(list.toArray().map(({ n }) => n), `${from} to ${to}`).toEqual(model)
      for (const value of values) value.set('n', value.get('n')! + 10)
      expect(list.toArray().map(({ n }) => n - 10)).toEqual(model)
      expect(list.length).toBe(5)
    }
  }
})

test('P14: two move the same element, one edits it, and it is there once', () => {
  const { rooms: [a, b], settle } = wired(2)
  const [one, two] = [a!.newList<{ n: number }>('l'), b!.newList<{ n: number }>('l')]
  one.push({ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 })
  settle()
  one.move(0, 3)
  two.move(0, 2)
  two.get(2)!.set('n', 100)
  settle()
  expect(one.toArray()).toEqual(two.toArray())
  expect(one.toArray().map(({ n }) => n).sort((x, y) => x - y)).toEqual([1, 2, 3, 100])
})

test('wrong indexes and values have types', () => {
  const list = offline().newList<any>('l')
  list.push(1)
  for (const index of [-1, 2, 0.5, NaN]) expect(() => { list.insert(index, 1) }).toThrow(IndexError)
  for (const index of [-1, 1, 0.5, NaN]) {
    expect(() => { list.set(index, 1) }).toThrow(IndexError)
    expect(() => { list.delete(index) }).toThrow(IndexError)
    expect(() => { list.move(index, 0) }).toThrow(IndexError)
  }
  const circle: any = {}
  circle.self = circle
  for (const value of [undefined, NaN, Infinity, () => 1, Symbol('x'), 1n, new Date(), new Map(), new Set(), circle, { a: [undefined] }, new (class X {})(), Uint8Array.of(1)]) {
    expect(() => list.push(value)).toThrow(InvalidValueError)
  }
  expect(() => list.push({ deep: [{ at: NaN }] })).toThrow('the value.deep[0].at is NaN')
  expect(list.toArray()).toEqual([1])
  list.push({ x: 1 })
  expect(() => list.push(list.get(1))).toThrow(AttachedError)
})
