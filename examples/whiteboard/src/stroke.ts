// Pen strokes as outlines.

import { getStroke } from 'perfect-freehand'
import { penPoints } from './geometry'
import { PEN_SIZE, type Shape } from './shape'

/** An SVG path of the stroke's outline, to be filled. */
export function strokePath (shape: Shape): string {
  const outline = getStroke(penPoints(shape).map(p => [...p] as number[]), {
    size: PEN_SIZE[shape.width],
    thinning: shape.pressure ? 0.6 : 0.45,
    smoothing: 0.55,
    streamline: 0.4,
    simulatePressure: !shape.pressure,
    last: true
  })
  return outlinePath(outline)
}

/** A closed curve through the middles between the points. */
export function outlinePath (outline: readonly (readonly number[])[]): string {
  if (outline.length < 3) return ''
  const n = (value: number) => String(Math.round(value * 100) / 100)
  const path: string[] = []
  for (let i = 0; i < outline.length; i++) {
    const [x1, y1] = outline[i] as [number, number]
    const [x2, y2] = outline[(i + 1) % outline.length] as [number, number]
    const middle = `${n((x1 + x2) / 2)} ${n((y1 + y2) / 2)}`
    path.push(i === 0 ? `M${middle}` : `Q${n(x1)} ${n(y1)} ${middle}`)
  }
  return `${path.join('')}Z`
}
