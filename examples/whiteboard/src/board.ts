// The document: shapes in Yjs, and everything one can do to them.
//
//   doc.getMap('shapes'): Y.Map of id → Y.Map {
//     kind, color, width, fill, z, at: [x, y], size: [w, h],
//     points: Y.Array of numbers (pen), text: Y.Text (text)
//   }
//
// Each property is its own entry, so one may recolour what another moves. A
// position is one value: two people who move the same shape end at one of the
// two places, not at a mix. Points are relative to `at`, so a stroke can be moved
// while it is still being drawn.

import * as Y from 'yjs'
import { hasInside, inOrder, readShape, type Kind, type Shape, type Style } from './shape'
import { round, type Point } from './geometry'

export interface NewShape extends Style {
  readonly kind: Kind
  readonly at: Point
  readonly size?: Point
  readonly pressure?: boolean
  readonly points?: readonly number[]
  readonly text?: string
}

/** Shapes that were changed or, when null, removed. */
export type Changes = ReadonlyMap<string, Shape | null>

/** How far a copy lies from what it was copied from. */
const COPY_OFFSET = 24

export class Board {
  readonly shapes: Y.Map<Y.Map<unknown>>
  readonly undoManager: Y.UndoManager
  private readonly cache = new Map<string, Shape>()
  private sorted: readonly Shape[] | null = null
  private readonly listeners = new Set<(changes: Changes) => void>()

  /** @param newId gives ids that nobody else gives */
  constructor (readonly doc: Y.Doc, private readonly newId: () => string = () => crypto.randomUUID()) {
    this.shapes = doc.getMap('shapes')
    // Only what this board did itself is undone. Steps end where `step` says,
    // never by time: one gesture is one step, however long it takes.
    this.undoManager = new Y.UndoManager(this.shapes, {
      trackedOrigins: new Set([this]),
      captureTimeout: Number.MAX_SAFE_INTEGER
    })
    for (const id of this.shapes.keys()) this.refresh(id)
    this.shapes.observeDeep(events => this.changed(events))
  }

  /** Calls back after every change, whoever made it. */
  onChange (listener: (changes: Changes) => void): void {
    this.listeners.add(listener)
  }

  /** All shapes, from the bottom to the top. */
  all (): readonly Shape[] {
    return (this.sorted ??= [...this.cache.values()].sort(inOrder))
  }

  get (id: string): Shape | undefined {
    return this.cache.get(id)
  }

  /** What comes after this is a new step for undo. */
  step (): void {
    this.undoManager.stopCapturing()
  }

  undo (): boolean {
    return this.undoManager.undo() !== null
  }

  redo (): boolean {
    return this.undoManager.redo() !== null
  }

  /** Adds a shape on top of the others and returns its id. */
  create (shape: NewShape): string {
    const id = this.newId()
    this.edit(() => {
      const map = new Y.Map<unknown>()
      map.set('kind', shape.kind)
      map.set('color', shape.color)
      map.set('width', shape.width)
      if (shape.fill && hasInside(shape.kind)) map.set('fill', true)
      map.set('z', this.top() + 1)
      map.set('at', round(shape.at))
      if (shape.kind === 'pen') {
        map.set('points', Y.Array.from([...shape.points ?? []]))
        if (shape.pressure === true) map.set('pressure', true)
      } else if (shape.kind === 'text') {
        map.set('text', new Y.Text(shape.text ?? ''))
      } else {
        map.set('size', round(shape.size ?? [0, 0]))
      }
      this.shapes.set(id, map)
    })
    return id
  }

  /** Adds to a stroke; flat, in tenths, relative to its `at`. */
  addPoints (id: string, points: readonly number[]): void {
    const list: unknown = this.shapes.get(id)?.get('points')
    if (list instanceof Y.Array && points.length > 0) this.edit(() => list.push([...points]))
  }

  /** The shared text of a text shape. */
  text (id: string): Y.Text | null {
    const text: unknown = this.shapes.get(id)?.get('text')
    return text instanceof Y.Text ? text : null
  }

  /** Puts shapes at places. */
  move (places: ReadonlyMap<string, Point>): void {
    this.edit(() => { for (const [id, at] of places) this.set(id, { at: round(at) }) })
  }

  resize (id: string, at: Point, size: Point): void {
    this.edit(() => this.set(id, { at: round(at), size: round(size) }))
  }

  restyle (ids: Iterable<string>, style: Partial<Style>): void {
    const { fill, ...line } = style
    this.edit(() => {
      for (const id of ids) {
        const shape = this.get(id)
        this.set(id, fill !== undefined && shape !== undefined && hasInside(shape.kind) && shape.fill !== fill ? style : line)
      }
    })
  }

  remove (ids: Iterable<string>): void {
    this.edit(() => { for (const id of ids) this.shapes.delete(id) })
  }

  /** Puts shapes over or under all others, keeping their own order. */
  reorder (ids: readonly string[], to: 'front' | 'back'): void {
    const chosen = this.all().filter(shape => ids.includes(shape.id))
    const from = to === 'front' ? this.top() + 1 : (this.all()[0]?.z ?? 0) - chosen.length
    this.edit(() => chosen.forEach((shape, i) => this.set(shape.id, { z: from + i })))
  }

  /** Copies shapes and returns the copies' ids, in the same order. */
  duplicate (ids: readonly string[]): string[] {
    const chosen = this.all().filter(shape => ids.includes(shape.id))
    let copies: string[] = []
    this.edit(() => {
      copies = chosen.map(shape => this.create({ ...shape, at: [shape.at[0] + COPY_OFFSET, shape.at[1] + COPY_OFFSET] }))
    })
    return copies
  }

  /** Runs changes as one transaction that undo knows to be ours. */
  edit (change: () => void): void {
    this.doc.transact(change, this)
  }

  /** Sets what differs: a value that is already there would be sent for nothing. */
  private set (id: string, values: Record<string, unknown>): void {
    const map = this.shapes.get(id)
    if (map === undefined) return
    for (const [key, value] of Object.entries(values)) {
      if (JSON.stringify(map.get(key)) !== JSON.stringify(value)) map.set(key, value)
    }
  }

  private top (): number {
    let top = 0
    for (const map of this.shapes.values()) {
      const z: unknown = map instanceof Y.Map ? map.get('z') : undefined
      if (typeof z === 'number' && Number.isFinite(z)) top = Math.max(top, z)
    }
    return top
  }

  private refresh (id: string): Shape | null {
    const shape = readShape(id, this.shapes.get(id))
    if (shape === null) this.cache.delete(id)
    else this.cache.set(id, shape)
    this.sorted = null
    return shape
  }

  private changed (events: Y.YEvent<Y.AbstractType<unknown>>[]): void {
    const ids = new Set<string>()
    for (const event of events) {
      if (event.target === (this.shapes as unknown)) for (const key of event.changes.keys.keys()) ids.add(key)
      else ids.add(String(event.path[0]))
    }
    const changes = new Map<string, Shape | null>()
    for (const id of ids) changes.set(id, this.refresh(id))
    for (const listener of this.listeners) listener(changes)
  }
}
