// Shapes as geometry: where they are, what they cover, what a click means.
// World coordinates, y down.

import { textSize } from './text-size'
import { hasInside, PEN_SIZE, STROKE, TEXT_SIZE, type Shape } from './shape'

export type Point = readonly [x: number, y: number]

/** A rectangle whose width and height are not negative. */
export interface Box { readonly x: number, readonly y: number, readonly w: number, readonly h: number }

/** Pen points are kept as whole tenths of a unit: half the bytes, no visible difference. */
export const PEN_UNIT = 10

/** The box between two corners, given in any order. */
export function boxOf (a: Point, b: Point): Box {
  return { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), w: Math.abs(a[0] - b[0]), h: Math.abs(a[1] - b[1]) }
}

/** The smallest box around all of them, null around none. */
export function union (boxes: Iterable<Box>): Box | null {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const b of boxes) {
    x1 = Math.min(x1, b.x)
    y1 = Math.min(y1, b.y)
    x2 = Math.max(x2, b.x + b.w)
    y2 = Math.max(y2, b.y + b.h)
  }
  return x1 === Infinity ? null : { x: x1, y: y1, w: x2 - x1, h: y2 - y1 }
}

export function grow (b: Box, by: number): Box {
  return { x: b.x - by, y: b.y - by, w: b.w + 2 * by, h: b.h + 2 * by }
}

export function contains (b: Box, p: Point): boolean {
  return p[0] >= b.x && p[0] <= b.x + b.w && p[1] >= b.y && p[1] <= b.y + b.h
}

export function intersects (a: Box, b: Box): boolean {
  return a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h
}

/** The stroke's points in the world, with pressure from 0 to 1 when the pen gave it. */
export function penPoints (shape: Shape): (readonly [x: number, y: number, pressure?: number])[] {
  const stride = shape.pressure ? 3 : 2
  const points: (readonly [number, number, number?])[] = []
  for (let i = 0; i + stride <= shape.points.length; i += stride) {
    const x = shape.at[0] + (shape.points[i] as number) / PEN_UNIT
    const y = shape.at[1] + (shape.points[i + 1] as number) / PEN_UNIT
    points.push(shape.pressure ? [x, y, (shape.points[i + 2] as number) / 255] : [x, y])
  }
  return points
}

/** Where a line or an arrow ends. */
export function lineEnd (shape: Shape): Point {
  return [shape.at[0] + shape.size[0], shape.at[1] + shape.size[1]]
}

/** The box around the shape's outline, its line width not counted. */
export function bounds (shape: Shape): Box {
  switch (shape.kind) {
    case 'pen':
      return union(penPoints(shape).map(([x, y]) => ({ x, y, w: 0, h: 0 }))) ?? boxOf(shape.at, shape.at)
    case 'text': {
      const [w, h] = textSize(shape.text, TEXT_SIZE[shape.width])
      return { x: shape.at[0], y: shape.at[1], w, h }
    }
    default:
      return boxOf(shape.at, lineEnd(shape))
  }
}

/** The distance from p to the segment from a to b. */
export function distanceToSegment (p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const length2 = dx * dx + dy * dy
  const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2))
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy)
}

/** Half of what is drawn around the outline. */
function halfLine (shape: Shape): number {
  return (shape.kind === 'pen' ? PEN_SIZE[shape.width] : STROKE[shape.width]) / 2
}

/** Whether a click at p, with this tolerance, is on what is drawn. */
export function hits (shape: Shape, p: Point, tolerance: number): boolean {
  const reach = tolerance + halfLine(shape)
  const box = bounds(shape)
  if (!contains(grow(box, reach), p)) return false
  switch (shape.kind) {
    case 'pen': {
      const points = penPoints(shape)
      if (points.length === 1) return true
      return points.some((point, i) => i > 0 && distanceToSegment(p, pair(points[i - 1] ?? point), pair(point)) <= reach)
    }
    case 'line':
    case 'arrow':
      return distanceToSegment(p, shape.at, lineEnd(shape)) <= reach
    case 'rectangle':
      return shape.fill || box.w <= 2 * reach || box.h <= 2 * reach || !contains(grow(box, -reach), p)
    case 'ellipse':
      return hitsEllipse(box, p, reach, shape.fill)
    case 'text':
      return true
  }
}

function pair (p: readonly [number, number, number?]): Point {
  return [p[0], p[1]]
}

function hitsEllipse (box: Box, p: Point, reach: number, fill: boolean): boolean {
  const [rx, ry] = [box.w / 2, box.h / 2]
  const [dx, dy] = [p[0] - box.x - rx, p[1] - box.y - ry]
  const within = (by: number) => rx + by > 0 && ry + by > 0 && (dx / (rx + by)) ** 2 + (dy / (ry + by)) ** 2 <= 1
  return within(reach) && (fill || !within(-reach))
}

/** Whether only the outline of it is drawn, so that one can see and click through. */
export function isHollow (shape: Shape): boolean {
  return hasInside(shape.kind) && !shape.fill
}

/**
 * The shape that a click at p means: the topmost one drawn there, else the
 * smallest hollow one around it.
 *
 * @param shapes from the bottom to the top
 */
export function pick (shapes: readonly Shape[], p: Point, tolerance: number): Shape | null {
  for (let i = shapes.length - 1; i >= 0; i--) {
    const shape = shapes[i] as Shape
    if (hits(shape, p, tolerance)) return shape
  }
  let best: Shape | null = null
  let area = Infinity
  for (const shape of shapes) {
    const box = bounds(shape)
    if (isHollow(shape) && contains(box, p) && box.w * box.h <= area) {
      best = shape
      area = box.w * box.h
    }
  }
  return best
}

/** Whether a box dragged over the board takes the shape. */
export function touches (shape: Shape, box: Box): boolean {
  const own = bounds(shape)
  if (!intersects(own, box)) return false
  switch (shape.kind) {
    case 'pen':
      return penPoints(shape).some(([x, y]) => contains(box, [x, y]))
    case 'line':
    case 'arrow':
      return segmentMeets(shape.at, lineEnd(shape), box)
    default:
      return !(isHollow(shape) && inside(box, own))
  }
}

function inside (inner: Box, outer: Box): boolean {
  return inner.x > outer.x && inner.y > outer.y && inner.x + inner.w < outer.x + outer.w && inner.y + inner.h < outer.y + outer.h
}

/** Liang and Barsky's clipping: whether anything of the segment is left in the box. */
function segmentMeets (a: Point, b: Point, box: Box): boolean {
  let [from, to] = [0, 1]
  const sides: [number, number][] = [
    [a[0] - b[0], a[0] - box.x], [b[0] - a[0], box.x + box.w - a[0]],
    [a[1] - b[1], a[1] - box.y], [b[1] - a[1], box.y + box.h - a[1]]
  ]
  for (const [p, q] of sides) {
    if (p === 0) {
      if (q < 0) return false
    } else if (p < 0) from = Math.max(from, q / p)
    else to = Math.min(to, q / p)
  }
  return from <= to
}

/** The two ends of an arrow's head. */
export function arrowHead (shape: Shape): [Point, Point] {
  const end = lineEnd(shape)
  const length = Math.hypot(...shape.size)
  const size = Math.min(length / 2, 8 + 3 * STROKE[shape.width])
  const angle = Math.atan2(shape.size[1], shape.size[0])
  const at = (turn: number): Point => [end[0] - size * Math.cos(angle + turn), end[1] - size * Math.sin(angle + turn)]
  return [at(Math.PI / 6.5), at(-Math.PI / 6.5)]
}

/** From one corner to another, as a square when asked for. */
export function dragBox (from: Point, to: Point, square: boolean): Box {
  if (!square) return boxOf(from, to)
  const side = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))
  return boxOf(from, [from[0] + side * (to[0] < from[0] ? -1 : 1), from[1] + side * (to[1] < from[1] ? -1 : 1)])
}

/** The vector of a line, turned to the nearest eighth of a circle when asked for. */
export function dragLine (from: Point, to: Point, snap: boolean): Point {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  if (!snap) return [dx, dy]
  const angle = Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * (Math.PI / 4)
  const length = Math.hypot(dx, dy)
  return [length * Math.cos(angle), length * Math.sin(angle)]
}

/** Rounds to hundredths, which is finer than any screen and shorter on the wire. */
export function round (p: Point): Point {
  return [Math.round(p[0] * 100) / 100, Math.round(p[1] * 100) / 100]
}
