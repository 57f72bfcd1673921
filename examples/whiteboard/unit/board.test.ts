import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { Board } from '../src/board'
import { readShape } from '../src/shape'
import { random, seed } from './random'

const STYLE = { color: 'red', width: 'm', fill: false } as const

function boards (n: number) {
  let id = 0
  const all = Array.from({ length: n }, () => new Board(new Y.Doc(), () => `id-${++id}`))
  const sync = () => {
    for (const from of all) for (const to of all) if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)), 'network')
  }
  return { all, sync, a: all[0] as Board, b: all[all.length - 1] as Board }
}

describe('Board', () => {
  it('adds shapes on top and gives them back in order', () => {
    const { a } = boards(1)
    const first = a.create({ ...STYLE, kind: 'rectangle', at: [1.23456, 2], size: [3, 4] })
    const second = a.create({ ...STYLE, kind: 'pen', at: [0, 0], points: [0, 0, 10, 10] })
    expect(a.all().map(shape => shape.id)).toEqual([first, second])
    expect(a.get(first)).toMatchObject({ kind: 'rectangle', at: [1.23, 2], size: [3, 4], color: 'red', z: 1 })
    expect(a.get(second)?.points).toEqual([0, 0, 10, 10])
  })

  it('merges what two people change of one shape', () => {
    const { a, b, sync } = boards(2)
    const id = a.create({ ...STYLE, kind: 'pen', at: [0, 0], points: [0, 0] })
    sync()
    a.addPoints(id, [5, 5])
    b.move(new Map([[id, [100, 50]]]))
    b.restyle([id], { color: 'blue' })
    sync()
    for (const board of [a, b]) expect(board.get(id)).toMatchObject({ at: [100, 50], color: 'blue', points: [0, 0, 5, 5] })
  })

  it('puts a shape that two move at one of both places, the same for both', () => {
    const { a, b, sync } = boards(2)
    const id = a.create({ ...STYLE, kind: 'ellipse', at: [0, 0], size: [5, 5] })
    sync()
    a.move(new Map([[id, [10, 10]]]))
    b.move(new Map([[id, [20, 20]]]))
    sync()
    expect(a.get(id)?.at).toEqual(b.get(id)?.at)
    expect([[10, 10], [20, 20]]).toContainEqual(a.get(id)?.at)
  })

  it('undoes steps, and only its own (P18)', () => {
    const { a, b, sync } = boards(2)
    a.step()
    const mine = a.create({ ...STYLE, kind: 'pen', at: [0, 0], points: [0, 0] })
    for (let i = 1; i < 20; i++) a.addPoints(mine, [i, i]) // streamed: still one step
    a.step()
    sync()
    b.step()
    const yours = b.create({ ...STYLE, kind: 'ellipse', at: [0, 0], size: [5, 5] })
    b.move(new Map([[mine, [7, 7]]]))
    sync()
    a.step()
    a.restyle([yours], { color: 'green' })
    sync()
    a.undo()
    sync()
    expect(b.get(yours)).toMatchObject({ color: 'red' })
    a.undo()
    sync()
    for (const board of [a, b]) expect(board.all().map(shape => shape.id)).toEqual([yours])
    expect(a.undo()).toBe(false)
    a.redo()
    sync()
    expect(b.get(mine)?.points).toHaveLength(40)
  })

  it('removes, copies and reorders', () => {
    const { a } = boards(1)
    const [x, y, z] = [1, 2, 3].map(n => a.create({ ...STYLE, kind: 'line', at: [n, n], size: [5, 5] })) as [string, string, string]
    a.reorder([z, y], 'back')
    expect(a.all().map(shape => shape.id)).toEqual([y, z, x])
    a.reorder([y], 'front')
    expect(a.all().map(shape => shape.id)).toEqual([z, x, y])
    const [copy] = a.duplicate([z]) as [string]
    expect(a.get(copy)).toMatchObject({ kind: 'line', at: [27, 27], size: [5, 5] })
    expect(a.all().at(-1)?.id).toBe(copy)
    a.remove([x, y, z, 'nobody'])
    expect(a.all().map(shape => shape.id)).toEqual([copy])
  })

  it('copies text and strokes whole', () => {
    const { a } = boards(1)
    const text = a.create({ ...STYLE, kind: 'text', at: [0, 0], text: 'hé 😀' })
    const pen = a.create({ ...STYLE, kind: 'pen', at: [0, 0], points: [0, 0, 255], pressure: true })
    const [t, p] = a.duplicate([text, pen]) as [string, string]
    expect(a.get(t)?.text).toBe('hé 😀')
    expect(a.get(p)).toMatchObject({ points: [0, 0, 255], pressure: true })
    a.text(t)?.insert(0, 'x')
    expect(a.get(text)?.text).toBe('hé 😀')
  })

  it('sends nothing for what does not change', () => {
    const { a } = boards(1)
    const id = a.create({ ...STYLE, kind: 'line', at: [1, 1], size: [5, 5] })
    let updates = 0
    a.doc.on('update', () => updates++)
    a.move(new Map([[id, [1, 1]]]))
    a.resize(id, [1, 1], [5, 5])
    a.restyle([id], STYLE)
    a.restyle(['nobody'], { color: 'blue' })
    a.addPoints(id, [1, 1])
    expect(updates).toBe(0)
  })

  it('tells what changed, and keeps up whatever arrives', () => {
    const { all, sync, a } = boards(3)
    const r = random(seed())
    const told = new Map<string, unknown>()
    a.onChange(changes => { for (const [id, shape] of changes) shape === null ? told.delete(id) : told.set(id, shape) })
    for (let i = 0; i < 400; i++) {
      const board = all[r.below(3)] as Board
      const ids = board.all().map(shape => shape.id)
      const some = ids.filter(() => r.below(4) === 0)
      switch (r.below(8)) {
        case 0: board.create({ ...STYLE, kind: 'pen', at: [r.below(99), 0], points: [1, 2] }); break
        case 1: board.create({ ...STYLE, kind: 'rectangle', at: [r.below(99), 0], size: [r.below(9), 1] }); break
        case 2: board.move(new Map(some.map(id => [id, [r.below(99), r.below(99)]]))); break
        case 3: board.remove(some); break
        case 4: board.reorder(some, r.below(2) === 0 ? 'front' : 'back'); break
        case 5: board.step(); board.undo(); break
        case 6: for (const id of some) board.addPoints(id, [r.below(9), r.below(9)]); break
        default: sync()
      }
    }
    sync()
    for (const board of all) expect(board.all()).toEqual(a.all())
    expect([...told.keys()].sort()).toEqual(a.all().map(shape => shape.id).sort())
    for (const shape of a.all()) expect(told.get(shape.id)).toEqual(shape)
  })
})

describe('readShape', () => {
  const read = (fill: (map: Y.Map<unknown>) => void) => {
    const map = new Y.Doc().getMap<Y.Map<unknown>>('m')
    const inner = new Y.Map<unknown>()
    map.set('x', inner)
    fill(inner)
    return readShape('x', inner)
  }

  it('refuses what it does not know', () => {
    expect(readShape('x', undefined)).toBeNull()
    expect(readShape('x', { kind: 'pen', at: [0, 0] })).toBeNull()
    expect(read(map => { map.set('kind', 'cube'); map.set('at', [0, 0]) })).toBeNull()
    for (const at of [undefined, null, 'here', [1], [1, 2, 3], [1, NaN], [Infinity, 0], ['1', 2], [1e300, 0]]) {
      expect(read(map => { map.set('kind', 'pen'); map.set('at', at) })).toBeNull()
    }
  })

  it('gives the rest a default', () => {
    expect(read(map => {
      map.set('kind', 'pen')
      map.set('at', [1, 2])
      map.set('color', '"><script>')
      map.set('width', 1e9)
      map.set('z', NaN)
      map.set('points', Y.Array.from([1, 'two', NaN, 1e300]))
      map.set('text', 'no Y.Text')
      map.set('size', [NaN, 1])
    })).toEqual({ id: 'x', kind: 'pen', at: [1, 2], color: 'ink', width: 'm', z: 0, fill: false, pressure: false, points: [1, 0, 0, 0], text: '', size: [0, 0] })
  })
})
