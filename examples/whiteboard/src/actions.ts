// What buttons and keys do.

import { bounds, union, type Point } from './geometry'
import type { Board } from './board'
import type { Camera } from './camera'
import type { Store, ToolName } from './store'
import type { Style } from './shape'

export interface ActionContext {
  readonly board: Board
  readonly store: Store
  readonly camera: Camera
  readonly screen: () => Point
  readonly mayWrite: () => boolean
  readonly editText: (id: string, isNew: boolean) => void
  /** Says it to those who do not see the board. */
  readonly announce: (text: string) => void
}

/** What a shape added with the keyboard measures, in screen pixels. */
const KEYBOARD_SIZE: Point = [160, 110]
/** Nudges that follow one another so quickly are one step to undo. */
const NUDGE_STEP_MS = 1_000
/** How far the next shape added with the keyboard lies from the last. */
const CASCADE = 28
const CASCADE_LENGTH = 6

const NAMES: Record<string, string> = { pen: 'Stroke', rectangle: 'Rectangle', ellipse: 'Ellipse', line: 'Line', arrow: 'Arrow', text: 'Text' }

export class Actions {
  private lastNudge = -Infinity
  private added = 0

  constructor (private readonly c: ActionContext, private readonly now: () => number = () => performance.now()) {}

  tool (tool: ToolName): void {
    if (tool !== 'select' && tool !== 'hand' && !this.c.mayWrite()) return
    this.c.store.set({ tool, editing: null, ...(tool === 'select' ? {} : { selection: [] }) })
  }

  /** Sets the style of what comes next and of what is selected. */
  style (style: Partial<Style>): void {
    this.c.store.set(style)
    this.changeSelection(ids => this.c.board.restyle(ids, style))
  }

  undo (): void {
    if (this.c.mayWrite()) this.c.announce(this.c.board.undo() ? 'Undone' : 'Nothing to undo')
  }

  redo (): void {
    if (this.c.mayWrite()) this.c.announce(this.c.board.redo() ? 'Done again' : 'Nothing to redo')
  }

  remove (): void {
    this.changeSelection(ids => {
      this.c.board.remove(ids)
      this.c.store.set({ selection: [] })
      this.c.announce(ids.length === 1 ? 'Deleted' : `${ids.length} deleted`)
    })
  }

  duplicate (): void {
    this.changeSelection(ids => this.c.store.set({ selection: this.c.board.duplicate(ids) }))
  }

  reorder (to: 'front' | 'back'): void {
    this.changeSelection(ids => this.c.board.reorder(ids, to))
  }

  selectAll (): void {
    this.c.store.set({ tool: 'select', selection: this.c.board.all().map(shape => shape.id) })
  }

  /** Selects the next shape, from the bottom to the top and round again. */
  selectNext (by: 1 | -1): void {
    const all = this.c.board.all()
    if (all.length === 0) return
    const at = all.findIndex(shape => shape.id === this.c.store.get().selection.at(-1))
    const next = at < 0 ? (by === 1 ? 0 : all.length - 1) : (at + by + all.length) % all.length
    const shape = all[next]
    if (shape === undefined) return
    this.c.store.set({ tool: 'select', selection: [shape.id] })
    this.reveal(shape.id)
    this.c.announce(`${NAMES[shape.kind] ?? 'Shape'}, ${shape.color}${shape.text === '' ? '' : `: ${shape.text}`}, ${next + 1} of ${all.length}`)
  }

  /** Moves the selection by screen pixels, or the view when nothing is selected. */
  nudge (dx: number, dy: number): void {
    const { board, store, camera } = this.c
    const shapes = store.get().selection.map(id => board.get(id)).filter(shape => shape !== undefined)
    if (shapes.length === 0) {
      camera.pan(-dx * 8, -dy * 8)
    } else if (this.c.mayWrite()) {
      if (this.now() - this.lastNudge > NUDGE_STEP_MS) board.step()
      this.lastNudge = this.now()
      board.move(new Map(shapes.map(({ id, at }) => [id, [at[0] + dx, at[1] + dy]])))
    }
  }

  /** Enter: types into the selected text, or adds what the tool draws in the middle. */
  enter (): void {
    const { board, store, camera, screen } = this.c
    const { tool, selection, color, width, fill } = store.get()
    if (!this.c.mayWrite()) return
    if (tool === 'select') {
      const id = selection[0]
      if (id !== undefined && board.get(id)?.kind === 'text') this.c.editText(id, false)
      return
    }
    if (tool === 'hand') return
    if (tool === 'pen') {
      this.c.announce('The pen needs a pointer. Rectangle, ellipse, line, arrow and text can be added with Enter.')
      return
    }
    const [w, h] = screen()
    const shift = (this.added++ % CASCADE_LENGTH) * CASCADE
    const at = camera.toWorld([w / 2 - KEYBOARD_SIZE[0] / 2 + shift, h / 2 - KEYBOARD_SIZE[1] / 2 + shift])
    const size: Point = [KEYBOARD_SIZE[0] / camera.view.zoom, KEYBOARD_SIZE[1] / camera.view.zoom]
    board.step()
    const id = board.create({ kind: tool, color, width, fill, at, size })
    if (tool === 'text') {
      this.c.editText(id, true)
      return
    }
    board.step()
    store.set({ tool: 'select', selection: [id] })
    this.c.announce(`${NAMES[tool] ?? 'Shape'} added. Arrow keys move it.`)
  }

  zoom (factor: number): void {
    const [w, h] = this.c.screen()
    this.c.camera.zoomAt([w / 2, h / 2], factor)
  }

  zoomReset (): void {
    this.zoom(1 / this.c.camera.view.zoom)
  }

  zoomFit (): void {
    const all = union(this.c.board.all().map(bounds))
    if (all !== null) this.c.camera.fit(all, this.c.screen(), Math.min(120, this.c.screen()[0] / 12))
  }

  /** Moves the view when the shape is out of it. */
  private reveal (id: string): void {
    const shape = this.c.board.get(id)
    if (shape === undefined) return
    const box = bounds(shape)
    const seen = this.c.camera.visible(this.c.screen())
    const middle: Point = [box.x + box.w / 2, box.y + box.h / 2]
    if (middle[0] < seen.x || middle[0] > seen.x + seen.w || middle[1] < seen.y || middle[1] > seen.y + seen.h) {
      this.c.camera.center(middle, this.c.screen())
    }
  }

  private changeSelection (change: (ids: string[]) => void): void {
    const { board, store } = this.c
    const ids = store.get().selection.filter(id => board.get(id) !== undefined)
    if (ids.length === 0 || !this.c.mayWrite()) return
    board.step()
    change(ids)
    board.step()
  }
}
