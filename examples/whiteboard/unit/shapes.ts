import type { Point } from '../src/geometry'
import type { Kind, Shape } from '../src/shape'

/** A shape with what is given, and nothing else. */
export function shape (kind: Kind, at: Point, rest: Partial<Shape> = {}): Shape {
  return { id: kind, kind, at, z: 1, color: 'ink', width: 'm', fill: false, size: [0, 0], points: [], pressure: false, text: '', ...rest }
}
