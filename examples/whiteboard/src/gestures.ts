// What a drag does: each gesture lives from the press to the release.
//
// While it goes on, the scene shows it at once and the document gets it every
// 50 ms, so that others watch it happen without a message per pixel.

import { bounds, dragBox, dragLine, PEN_UNIT, pick, round, touches, type Box, type Point } from './geometry'
import { handlePoints, type Scene } from './scene'
import { throttle } from './throttle'
import type { Board } from './board'
import type { Shape } from './shape'
import type { Store } from './store'

/** One position of the pointer. */
export interface Press {
  readonly world: Point
  /** From 0 to 1, when a real pen told it. */
  readonly pressure: number | null
  readonly shift: boolean
}

export interface Gesture {
  /** All positions since the last call, oldest first. */
  move (to: readonly Press[]): void
  end (): void
  /** Takes back what it did. */
  cancel (): void
}

/** What gestures work on. */
export interface Bench {
  readonly board: Board
  readonly scene: Scene
  readonly store: Store
  /** Screen pixels per world unit. */
  readonly zoom: () => number
  /** Opens the field to type into a text. */
  readonly editText: (id: string, isNew: boolean) => void
  readonly setMarquee: (box: Box | null) => void
}

const STREAM_MS = 50
/** Screen pixels that a press may wander and still be a click. */
export const SLOP = 4
/** Points of a stroke are at least so many screen pixels apart. */
const PEN_STEP = 1.5

/** Draws with the pen. */
export function pen (bench: Bench, first: Press): Gesture {
  const { board, scene, store } = bench
  const { color, width } = store.get()
  const pressure = first.pressure !== null
  const at = round(first.world)
  const encode = (p: Press): number[] => {
    const xy = [Math.round((p.world[0] - at[0]) * PEN_UNIT), Math.round((p.world[1] - at[1]) * PEN_UNIT)]
    return pressure ? [...xy, Math.round((p.pressure ?? 0.5) * 255)] : xy
  }
  let waiting: number[] = []
  let points = encode(first)
  let last = first.world
  board.step()
  const id = board.create({ kind: 'pen', color, width, fill: false, at, pressure, points })
  const send = throttle(() => { board.addPoints(id, waiting); waiting = [] }, STREAM_MS)
  return {
    move (to) {
      for (const press of to) {
        const step = Math.hypot(press.world[0] - last[0], press.world[1] - last[1]) * bench.zoom()
        if (step < PEN_STEP) continue
        last = press.world
        const more = encode(press)
        waiting.push(...more)
        points = [...points, ...more]
      }
      send()
      const shape = board.get(id)
      if (shape !== undefined) scene.preview([{ ...shape, points }])
    },
    end () {
      send.cancel()
      board.addPoints(id, waiting)
      scene.endPreview()
      board.step()
    },
    cancel () {
      send.cancel()
      board.remove([id])
      scene.endPreview()
      board.step()
    }
  }
}

/** Draws a rectangle, an ellipse, a line or an arrow, once it is more than a click. */
export function draw (bench: Bench, kind: 'rectangle' | 'ellipse' | 'line' | 'arrow', first: Press): Gesture {
  const { board, scene, store } = bench
  let id: string | null = null
  let at = first.world
  let size: Point = [0, 0]
  const send = throttle(() => { if (id !== null) board.resize(id, at, size) }, STREAM_MS)
  const measure = (to: Press) => {
    if (kind === 'line' || kind === 'arrow') {
      size = dragLine(first.world, to.world, to.shift)
    } else {
      const box = dragBox(first.world, to.world, to.shift)
      at = [box.x, box.y]
      size = [box.w, box.h]
    }
  }
  return {
    move (to) {
      const press = to.at(-1)
      if (press === undefined) return
      measure(press)
      if (id === null) {
        if (Math.hypot(...size) * bench.zoom() < SLOP) return
        const { color, width, fill } = store.get()
        board.step()
        id = board.create({ kind, color, width, fill, at, size })
      }
      send()
      const shape = board.get(id)
      if (shape !== undefined) scene.preview([{ ...shape, at, size }])
    },
    end () {
      send.cancel()
      if (id === null) return
      board.resize(id, at, size)
      scene.endPreview()
      board.step()
      store.set({ tool: 'select', selection: [id] })
    },
    cancel () {
      send.cancel()
      if (id !== null) board.remove([id])
      scene.endPreview()
      board.step()
    }
  }
}

/** Types into the text under the pointer, or a new one. Phones open their keyboard only at the end of a touch. */
export function text (bench: Bench, first: Press, reach: number): Gesture {
  const { board, store } = bench
  return {
    move () {},
    end () {
      const there = pick(board.all(), first.world, reach)
      if (there?.kind === 'text') {
        bench.editText(there.id, false)
        return
      }
      const { color, width } = store.get()
      board.step()
      bench.editText(board.create({ kind: 'text', color, width, fill: false, at: first.world }), true)
    },
    cancel () {}
  }
}

/** Moves the selection. */
export function move (bench: Bench, first: Press): Gesture {
  const { board, scene, store } = bench
  const before = new Map<string, Point>()
  for (const id of store.get().selection) {
    const shape = board.get(id)
    if (shape !== undefined) before.set(id, shape.at)
  }
  let by: Point = [0, 0]
  let moved = false
  const places = (d: Point) => new Map([...before].map(([id, at]): [string, Point] => [id, [at[0] + d[0], at[1] + d[1]]]))
  const send = throttle(() => board.move(places(by)), STREAM_MS)
  return {
    move (to) {
      const press = to.at(-1)
      if (press === undefined) return
      by = [press.world[0] - first.world[0], press.world[1] - first.world[1]]
      if (press.shift) by = Math.abs(by[0]) > Math.abs(by[1]) ? [by[0], 0] : [0, by[1]]
      if (!moved) {
        if (Math.hypot(...by) * bench.zoom() < SLOP) return
        moved = true
        board.step()
      }
      send()
      const shapes = [...places(by)].map(([id, at]) => ({ shape: board.get(id), at }))
      scene.preview(shapes.flatMap(({ shape, at }) => shape === undefined ? [] : [{ ...shape, at }]))
    },
    end () {
      send.cancel()
      if (!moved) return
      board.move(places(by))
      scene.endPreview()
      board.step()
    },
    cancel () {
      send.cancel()
      if (!moved) return
      board.move(before)
      scene.endPreview()
      board.step()
    }
  }
}

/** Drags one handle of a shape. */
export function resize (bench: Bench, shape: Shape, handle: number): Gesture {
  const { board, scene } = bench
  const line = shape.kind === 'line' || shape.kind === 'arrow'
  const box = bounds(shape)
  const end: Point = [shape.at[0] + shape.size[0], shape.at[1] + shape.size[1]]
  // What stays: the other end, or the opposite corner.
  const fixed: Point = line
    ? (handle === 0 ? end : shape.at)
    : [box.x + (handle === 0 || handle === 3 ? box.w : 0), box.y + (handle < 2 ? box.h : 0)]
  let { at, size } = shape
  const send = throttle(() => board.resize(shape.id, at, size), STREAM_MS)
  board.step()
  return {
    move (to) {
      const press = to.at(-1)
      if (press === undefined) return
      if (line) {
        const way = dragLine(fixed, press.world, press.shift)
        at = handle === 0 ? [fixed[0] + way[0], fixed[1] + way[1]] : fixed
        size = handle === 0 ? [-way[0], -way[1]] : way
      } else {
        const b = dragBox(fixed, press.world, press.shift)
        at = [b.x, b.y]
        size = [b.w, b.h]
      }
      send()
      const now = board.get(shape.id)
      if (now !== undefined) scene.preview([{ ...now, at, size }])
    },
    end () {
      send.cancel()
      board.resize(shape.id, at, size)
      scene.endPreview()
      board.step()
    },
    cancel () {
      send.cancel()
      board.resize(shape.id, shape.at, shape.size)
      scene.endPreview()
      board.step()
    }
  }
}

/** Drags a box over what is to be selected. */
export function marquee (bench: Bench, first: Press): Gesture {
  const { board, store } = bench
  const before = first.shift ? store.get().selection : []
  store.set({ selection: before })
  return {
    move (to) {
      const press = to.at(-1)
      if (press === undefined) return
      const box = dragBox(first.world, press.world, false)
      const inside = board.all().filter(shape => touches(shape, box)).map(shape => shape.id)
      bench.setMarquee(box)
      store.set({ selection: [...new Set([...before, ...inside])] })
    },
    end () { bench.setMarquee(null) },
    cancel () {
      bench.setMarquee(null)
      store.set({ selection: before })
    }
  }
}

/** The handle of the only selected shape at a place, with so much tolerance in world units. */
export function handleAt (bench: Bench, world: Point, tolerance: number): { shape: Shape, handle: number } | null {
  const { selection } = bench.store.get()
  const shape = selection.length === 1 ? bench.board.get(selection[0] as string) : undefined
  if (shape === undefined) return null
  const handle = handlePoints(shape, bench.zoom()).findIndex(([x, y]) =>
    Math.abs(x - world[0]) <= tolerance && Math.abs(y - world[1]) <= tolerance)
  return handle < 0 ? null : { shape, handle }
}
