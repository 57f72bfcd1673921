import { describe, expect, it } from 'vitest'
import {
  arrowHead, bounds, boxOf, distanceToSegment, dragBox, dragLine, hits, intersects, lineEnd, penPoints, pick, touches, union, type Point
} from '../src/geometry'
import { shape } from './shapes'

describe('boxes', () => {
  it('are the same from any two corners', () => {
    const want = { x: -10, y: 5, w: 30, h: 15 }
    for (const [a, b] of [[[-10, 5], [20, 20]], [[20, 20], [-10, 5]], [[20, 5], [-10, 20]], [[-10, 20], [20, 5]]] as [Point, Point][]) {
      expect(boxOf(a, b)).toEqual(want)
    }
  })

  it('unite, and nothing unites to nothing', () => {
    expect(union([])).toBeNull()
    expect(union([{ x: 0, y: 0, w: 1, h: 1 }, { x: -5, y: 3, w: 2, h: 9 }])).toEqual({ x: -5, y: 0, w: 6, h: 12 })
  })

  it('intersect at their edges too', () => {
    const box = { x: 0, y: 0, w: 10, h: 10 }
    expect(intersects(box, { x: 10, y: 10, w: 1, h: 1 })).toBe(true)
    expect(intersects(box, { x: 10.1, y: 0, w: 1, h: 1 })).toBe(false)
  })

  it('drag to a square on the side of the pointer', () => {
    expect(dragBox([0, 0], [-10, 4], true)).toEqual({ x: -10, y: 0, w: 10, h: 10 })
    expect(dragBox([0, 0], [3, -8], true)).toEqual({ x: 0, y: -8, w: 8, h: 8 })
  })
})

describe('lines', () => {
  it('have a distance, a point too', () => {
    expect(distanceToSegment([5, 3], [0, 0], [10, 0])).toBe(3)
    expect(distanceToSegment([-3, 4], [0, 0], [10, 0])).toBe(5)
    expect(distanceToSegment([3, 4], [0, 0], [0, 0])).toBe(5)
  })

  it('snap to eighths of a circle', () => {
    const [x, y] = dragLine([0, 0], [100, 8], true)
    expect(x).toBeCloseTo(100.3, 1)
    expect(y).toBeCloseTo(0)
    const diagonal = dragLine([0, 0], [70, 60], true)
    expect(diagonal[0]).toBeCloseTo(diagonal[1])
  })

  it('have heads no longer than half of them', () => {
    const tiny = shape('arrow', [0, 0], { size: [6, 0] })
    for (const p of arrowHead(tiny)) expect(Math.hypot(p[0] - 6, p[1])).toBeLessThanOrEqual(3.001)
  })
})

describe('strokes', () => {
  it('decode from tenths, relative to where they are', () => {
    const pen = shape('pen', [100, 50], { points: [0, 0, 15, -20, 7] })
    expect(penPoints(pen)).toEqual([[100, 50], [101.5, 48]])
    expect(bounds(pen)).toEqual({ x: 100, y: 48, w: 1.5, h: 2 })
    expect(penPoints(shape('pen', [0, 0], { pressure: true, points: [0, 0, 255, 10, 10, 0, 5] }))).toEqual([[0, 0, 1], [1, 1, 0]])
  })

  it('without points are still somewhere', () => {
    expect(bounds(shape('pen', [3, 4]))).toEqual({ x: 3, y: 4, w: 0, h: 0 })
    expect(hits(shape('pen', [3, 4], { points: [0, 0] }), [4, 4], 2)).toBe(true)
  })
})

describe('clicks', () => {
  const rectangle = shape('rectangle', [0, 0], { size: [100, 60] })

  it('hit the outline of a hollow shape and the inside of a filled one', () => {
    expect(hits(rectangle, [50, 1], 4)).toBe(true)
    expect(hits(rectangle, [50, 30], 4)).toBe(false)
    expect(hits({ ...rectangle, fill: true }, [50, 30], 4)).toBe(true)
    expect(hits(rectangle, [50, -20], 4)).toBe(false)
  })

  it('hit a flat rectangle anywhere', () => {
    expect(hits(shape('rectangle', [0, 0], { size: [100, 4] }), [50, 2], 4)).toBe(true)
  })

  it('hit an ellipse, not the corners of its box', () => {
    const ellipse = shape('ellipse', [0, 0], { size: [100, 60], fill: true })
    expect(hits(ellipse, [50, 30], 4)).toBe(true)
    expect(hits(ellipse, [3, 3], 4)).toBe(false)
    expect(hits({ ...ellipse, fill: false }, [50, 30], 4)).toBe(false)
    expect(hits({ ...ellipse, fill: false }, [100, 30], 4)).toBe(true)
  })

  it('hit strokes and lines near them', () => {
    const pen = shape('pen', [0, 0], { points: [0, 0, 500, 0, 500, 500] })
    expect(hits(pen, [25, 5], 4)).toBe(true)
    expect(hits(pen, [25, 25], 4)).toBe(false)
    expect(hits(shape('line', [0, 0], { size: [-50, -50] }), [-25, -22], 4)).toBe(true)
  })

  it('pick the topmost, else the smallest hollow one around', () => {
    const inner = shape('ellipse', [20, 10], { id: 'inner', size: [40, 40] })
    const text = shape('text', [45, 25], { id: 'text', text: 'hi' })
    expect(pick([rectangle, inner, text], [48, 30], 4)?.id).toBe('text')
    expect(pick([rectangle, inner], [40, 30], 4)?.id).toBe('inner')
    expect(pick([inner, rectangle], [40, 30], 4)?.id).toBe('inner')
    expect(pick([rectangle, inner], [90, 30], 4)?.id).toBe('rectangle')
    expect(pick([rectangle, inner], [300, 30], 4)).toBeNull()
  })
})

describe('a box dragged over the board', () => {
  it('takes what it touches, not what it is drawn inside of', () => {
    const big = shape('rectangle', [0, 0], { size: [200, 200] })
    expect(touches(big, { x: 50, y: 50, w: 20, h: 20 })).toBe(false)
    expect(touches({ ...big, fill: true }, { x: 50, y: 50, w: 20, h: 20 })).toBe(true)
    expect(touches(big, { x: -10, y: 50, w: 20, h: 20 })).toBe(true)
  })

  it('takes a line only where the line is', () => {
    const line = shape('line', [0, 0], { size: [100, 100] })
    expect(touches(line, { x: 60, y: 0, w: 30, h: 30 })).toBe(false)
    expect(touches(line, { x: 40, y: 40, w: 20, h: 20 })).toBe(true)
    expect(touches(line, { x: 40, y: 55, w: 5, h: 100 })).toBe(false)
    expect(lineEnd(line)).toEqual([100, 100])
  })
})
