// Draws the board as SVG: sharp on any screen, and one element per shape, so a
// change redraws what changed and nothing else.

import { s, set } from './dom'
import { arrowHead, bounds, grow, lineEnd, union, type Box } from './geometry'
import { STROKE, TEXT_SIZE, type Shape } from './shape'
import { strokePath } from './stroke'
import { lineHeight } from './text-size'
import type { Board } from './board'
import type { Camera } from './camera'

/** What somebody has chosen: their shapes, in their colour. */
export interface Chosen { readonly ids: readonly string[], readonly color: string | null }

/** Corners that can be dragged, as fractions of the box. */
export const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]] as const

/** In screen pixels. */
const HANDLE = 9
const FRAME_GAP = 6

export class Scene {
  readonly svg: SVGSVGElement
  private readonly world = s('g')
  private readonly shapes = s('g', { class: 'shapes' })
  private readonly frames = s('g', { class: 'frames' })
  private readonly elements = new Map<string, SVGGElement>()
  private readonly drafts = new Map<string, Shape>()
  private chosen: readonly Chosen[] = []
  private marquee: Box | null = null
  private hidden: string | null = null

  constructor (private readonly board: Board, private readonly camera: Camera) {
    this.world.append(this.shapes, this.frames)
    this.svg = s('svg', {
      class: 'board', tabindex: 0, role: 'application',
      'aria-label': 'Whiteboard. Press the question mark for shortcuts.', 'aria-roledescription': 'drawing area'
    }, this.world)
    for (const shape of board.all()) this.draw(shape.id)
    board.onChange(changes => {
      for (const id of changes.keys()) this.draw(id)
      this.drawFrames()
    })
    camera.onChange(view => {
      set(this.world, { transform: `translate(${view.x} ${view.y}) scale(${view.zoom})` })
      this.drawFrames()
    })
  }

  /** Shows a shape otherwise than it is stored while a gesture goes on. */
  preview (shapes: Iterable<Shape>): void {
    for (const shape of shapes) {
      this.drafts.set(shape.id, shape)
      this.draw(shape.id)
    }
    this.drawFrames()
  }

  /** Shows what is stored again. */
  endPreview (): void {
    const ids = [...this.drafts.keys()]
    this.drafts.clear()
    for (const id of ids) this.draw(id)
    this.drawFrames()
  }

  /** The shape as it is seen now. */
  seen (id: string): Shape | undefined {
    return this.board.get(id) === undefined ? undefined : this.drafts.get(id) ?? this.board.get(id)
  }

  choose (chosen: readonly Chosen[], marquee: Box | null = this.marquee): void {
    this.chosen = chosen
    this.marquee = marquee
    this.drawFrames()
  }

  /** Hides the text that is being typed into a field over it. */
  hide (id: string | null): void {
    this.hidden = id
    for (const [shape, element] of this.elements) set(element, { visibility: shape === id ? 'hidden' : null })
  }

  private draw (id: string): void {
    const shape = this.seen(id)
    let element = this.elements.get(id)
    if (shape === undefined) {
      element?.remove()
      this.elements.delete(id)
      return
    }
    if (element === undefined || element.dataset['kind'] !== shape.kind) {
      element?.remove()
      element = s('g', { 'data-id': id, 'data-kind': shape.kind })
      this.elements.set(id, element)
    }
    set(element, { class: `shape color-${shape.color}`, visibility: this.hidden === id ? 'hidden' : null })
    fill(element, shape)
    this.place(element, shape)
  }

  /** Puts the element between its neighbours in the stacking order. */
  private place (element: SVGGElement, shape: Shape): void {
    const order = this.board.all()
    let next: Element | null = null
    for (let i = order.findIndex(other => other.id === shape.id) + 1; i > 0 && i < order.length && next === null; i++) {
      next = this.elements.get((order[i] as Shape).id) ?? null
    }
    if (element.parentNode !== this.shapes || element.nextElementSibling !== next) this.shapes.insertBefore(element, next)
  }

  private drawFrames (): void {
    const zoom = this.camera.view.zoom
    const frames: Element[] = []
    for (const { ids, color } of this.chosen) {
      const shapes = ids.map(id => this.seen(id)).filter(shape => shape !== undefined)
      const mine = color === null
      for (const shape of shapes) {
        frames.push(frame(grow(bounds(shape), FRAME_GAP / zoom), zoom, mine ? 'frame' : 'frame other', color))
      }
      const [only] = shapes
      if (!mine || only === undefined) continue
      if (shapes.length > 1) {
        const all = union(shapes.map(bounds)) as Box
        frames.push(frame(grow(all, 2 * FRAME_GAP / zoom), zoom, 'frame all', null))
      } else {
        frames.push(...handles(only, zoom))
      }
    }
    if (this.marquee !== null) frames.push(frame(this.marquee, zoom, 'marquee', null))
    this.frames.replaceChildren(...frames)
  }
}

function frame (box: Box, zoom: number, name: string, color: string | null): SVGRectElement {
  return s('rect', {
    class: name, x: box.x, y: box.y, width: box.w, height: box.h, rx: 3 / zoom, style: color === null ? null : `stroke:${color}`
  })
}

/** Where the handles of a shape are, none for what cannot be resized. */
export function handlePoints (shape: Shape, zoom: number): (readonly [x: number, y: number])[] {
  switch (shape.kind) {
    case 'line':
    case 'arrow':
      return [shape.at, lineEnd(shape)]
    case 'rectangle':
    case 'ellipse': {
      const box = grow(bounds(shape), FRAME_GAP / zoom)
      return CORNERS.map(([fx, fy]) => [box.x + fx * box.w, box.y + fy * box.h])
    }
    default:
      return []
  }
}

function handles (shape: Shape, zoom: number): Element[] {
  const size = HANDLE / zoom
  return handlePoints(shape, zoom).map(([x, y]) =>
    s('rect', { class: 'handle', x: x - size / 2, y: y - size / 2, width: size, height: size, rx: size / 4 }))
}

/** Draws the shape into its group, keeping the element when there is one. */
function fill (group: SVGGElement, shape: Shape): void {
  const child = <K extends keyof SVGElementTagNameMap>(tag: K): SVGElementTagNameMap[K] => {
    const there = group.firstElementChild
    if (there?.tagName === tag) return there as SVGElementTagNameMap[K]
    const made = s(tag)
    group.replaceChildren(made)
    return made
  }
  const [x, y] = shape.at
  const [w, h] = shape.size
  const line = { 'stroke-width': STROKE[shape.width] }
  switch (shape.kind) {
    case 'pen':
      set(child('path'), { class: 'ink', d: strokePath(shape) })
      break
    case 'rectangle':
      set(child('rect'), { ...line, class: shape.fill ? 'filled' : 'outline', x, y, width: w, height: h, rx: Math.min(10, w / 4, h / 4) })
      break
    case 'ellipse':
      set(child('ellipse'), { ...line, class: shape.fill ? 'filled' : 'outline', cx: x + w / 2, cy: y + h / 2, rx: w / 2, ry: h / 2 })
      break
    case 'line':
      set(child('path'), { ...line, class: 'outline', d: `M${x} ${y}l${w} ${h}` })
      break
    case 'arrow': {
      const [a, b] = arrowHead(shape)
      set(child('path'), { ...line, class: 'outline', d: `M${x} ${y}l${w} ${h}M${a[0]} ${a[1]}L${x + w} ${y + h}L${b[0]} ${b[1]}` })
      break
    }
    case 'text': {
      const size = TEXT_SIZE[shape.width]
      const lines = shape.text.split('\n').map((text, i) => s('tspan', { x, y: y + i * lineHeight(size) + size }, text))
      const text = child('text')
      set(text, { 'font-size': size })
      text.replaceChildren(...lines)
    }
  }
}
