// What is on the board, as plain values, and how it is read from Yjs.

import * as Y from 'yjs'
import type { Point } from './geometry'

export const KINDS = ['pen', 'rectangle', 'ellipse', 'line', 'arrow', 'text'] as const
export type Kind = typeof KINDS[number]

/** Names, not values: each theme has its own red. */
export const COLORS = ['ink', 'red', 'orange', 'amber', 'green', 'blue', 'violet', 'pink'] as const
export type Color = typeof COLORS[number]

export const WIDTHS = ['s', 'm', 'l'] as const
export type Width = typeof WIDTHS[number]

/** In world units, per width. */
export const STROKE: Record<Width, number> = { s: 2, m: 3.5, l: 7 }
export const PEN_SIZE: Record<Width, number> = { s: 4, m: 8, l: 16 }
export const TEXT_SIZE: Record<Width, number> = { s: 18, m: 26, l: 44 }

export interface Style { readonly color: Color, readonly width: Width, readonly fill: boolean }

/** One shape. What its kind does not use is empty. */
export interface Shape extends Style {
  readonly id: string
  readonly kind: Kind
  /** Larger is nearer; equal ones are ordered by id. */
  readonly z: number
  /** The top left corner, a line's start, a stroke's first point. */
  readonly at: Point
  /** Width and height; of a line the way from its start to its end. */
  readonly size: Point
  /** A stroke's points after `at`: x and y (and pressure 0–255), in tenths, flat. */
  readonly points: readonly number[]
  readonly pressure: boolean
  readonly text: string
}

/** Keeps a hostile or broken peer's numbers from breaking the page. */
const FARTHEST = 1e7

/**
 * Reads a shape from its Y.Map. Whatever is in a shared document was written by
 * somebody else, so everything is checked.
 *
 * @returns null when it is not a shape that we know
 */
export function readShape (id: string, map: unknown): Shape | null {
  if (!(map instanceof Y.Map)) return null
  const kind = oneOf(KINDS, map.get('kind'))
  const at = readPoint(map.get('at'))
  if (kind === null || at === null) return null
  const points: unknown = map.get('points')
  const text: unknown = map.get('text')
  const z: unknown = map.get('z')
  return {
    id,
    kind,
    at,
    z: typeof z === 'number' && Number.isFinite(z) ? z : 0,
    color: oneOf(COLORS, map.get('color')) ?? 'ink',
    width: oneOf(WIDTHS, map.get('width')) ?? 'm',
    fill: map.get('fill') === true,
    size: readPoint(map.get('size')) ?? [0, 0],
    points: points instanceof Y.Array ? points.toArray().map(n => isCoordinate(n) ? n : 0) : [],
    pressure: map.get('pressure') === true,
    text: text instanceof Y.Text ? text.toString() : ''
  }
}

function oneOf<T extends string> (values: readonly T[], value: unknown): T | null {
  return values.find(v => v === value) ?? null
}

function isCoordinate (n: unknown): n is number {
  return typeof n === 'number' && Math.abs(n) <= FARTHEST
}

function readPoint (value: unknown): Point | null {
  if (!Array.isArray(value) || value.length !== 2) return null
  const [x, y] = value as unknown[]
  return isCoordinate(x) && isCoordinate(y) ? [x, y] : null
}

/** Whether there is something to fill. */
export function hasInside (kind: Kind): boolean {
  return kind === 'rectangle' || kind === 'ellipse'
}

/** From the bottom to the top; the same on every screen. */
export function inOrder (a: Shape, b: Shape): number {
  return a.z - b.z || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
