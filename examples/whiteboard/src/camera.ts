// What part of the endless board is seen.

import type { Box, Point } from './geometry'

export const MIN_ZOOM = 0.1
export const MAX_ZOOM = 8

/** A screen point s shows the world point (s − offset) / zoom. */
export interface View { readonly x: number, readonly y: number, readonly zoom: number }

export class Camera {
  private current: View = { x: 0, y: 0, zoom: 1 }
  private readonly listeners = new Set<(view: View) => void>()

  get view (): View { return this.current }

  onChange (listener: (view: View) => void): void {
    this.listeners.add(listener)
    listener(this.current)
  }

  set (view: View): void {
    this.current = { x: view.x, y: view.y, zoom: clamp(view.zoom) }
    for (const listener of this.listeners) listener(this.current)
  }

  toWorld (screen: Point): Point {
    const { x, y, zoom } = this.current
    return [(screen[0] - x) / zoom, (screen[1] - y) / zoom]
  }

  toScreen (world: Point): Point {
    const { x, y, zoom } = this.current
    return [world[0] * zoom + x, world[1] * zoom + y]
  }

  pan (dx: number, dy: number): void {
    this.set({ ...this.current, x: this.current.x + dx, y: this.current.y + dy })
  }

  /** Zooms so that what is under the screen point stays under it. */
  zoomAt (screen: Point, factor: number): void {
    const world = this.toWorld(screen)
    const zoom = clamp(this.current.zoom * factor)
    this.set({ x: screen[0] - world[0] * zoom, y: screen[1] - world[1] * zoom, zoom })
  }

  /** Shows the world point in the middle of a screen of that size. */
  center (world: Point, screen: Point, zoom = this.current.zoom): void {
    const z = clamp(zoom)
    this.set({ x: screen[0] / 2 - world[0] * z, y: screen[1] / 2 - world[1] * z, zoom: z })
  }

  /** Shows all of the box, never larger than life. */
  fit (box: Box, screen: Point, margin: number): void {
    const zoom = Math.min(1, (screen[0] - 2 * margin) / Math.max(box.w, 1), (screen[1] - 2 * margin) / Math.max(box.h, 1))
    this.center([box.x + box.w / 2, box.y + box.h / 2], screen, zoom)
  }

  /** The part of the world on a screen of that size. */
  visible (screen: Point): Box {
    const [x, y] = this.toWorld([0, 0])
    return { x, y, w: screen[0] / this.current.zoom, h: screen[1] / this.current.zoom }
  }
}

function clamp (zoom: number): number {
  return Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, zoom))
}
