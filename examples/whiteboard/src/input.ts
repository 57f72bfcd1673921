// Pointers and wheels: which gesture a press begins, panning and pinching.

import * as gestures from './gestures'
import { pick, type Point } from './geometry'
import type { Bench, Gesture, Press } from './gestures'
import type { Camera } from './camera'
import type { Scene } from './scene'

/** How near to a line one must click, in screen pixels. */
const REACH = { mouse: 6, touch: 14 }
/** A wheel step of 100 zooms by this factor. */
const WHEEL_ZOOM = 1.25
/** Lines and pages of a wheel, in pixels. */
const WHEEL_UNIT = [1, 16, 400]

export interface InputOptions {
  readonly bench: Bench
  readonly camera: Camera
  readonly scene: Scene
  /** Whether one may draw. */
  readonly mayWrite: () => boolean
  /** Where our pointer is, null when it is elsewhere. */
  readonly onPointer: (world: Point | null) => void
  readonly onGesture: (busy: boolean) => void
}

export class Input {
  private gesture: Gesture | null = null
  private pointer: number | null = null
  private panning: Point | null = null
  private readonly touches = new Map<number, Point>()
  private space = false

  constructor (private readonly o: InputOptions) {
    const svg = o.scene.svg
    svg.addEventListener('pointerdown', e => this.down(e))
    svg.addEventListener('pointermove', e => this.moved(e))
    svg.addEventListener('pointerup', e => this.up(e))
    svg.addEventListener('pointercancel', e => this.up(e, true))
    svg.addEventListener('pointerleave', () => { if (this.pointer === null) o.onPointer(null) })
    svg.addEventListener('dblclick', e => this.doubleClick(e))
    svg.addEventListener('wheel', e => this.wheel(e), { passive: false })
    svg.addEventListener('contextmenu', e => e.preventDefault())
    addEventListener('keydown', e => { if (e.key === ' ' && e.target === svg) { this.setSpace(true); e.preventDefault() } })
    addEventListener('keyup', e => { if (e.key === ' ') this.setSpace(false) })
    // The frame around the board is for those who came to it with Tab.
    svg.addEventListener('keyup', e => { if (e.key === 'Tab') svg.classList.add('tabbed') })
    svg.addEventListener('blur', () => svg.classList.remove('tabbed'))
    addEventListener('blur', () => this.setSpace(false))
  }

  get busy (): boolean { return this.gesture !== null }

  /** Ends the gesture going on, if any, as if it had not been. */
  cancel (): boolean {
    const going = this.gesture
    this.gesture = null
    this.pointer = null
    going?.cancel()
    if (going !== null) this.o.onGesture(false)
    return going !== null
  }

  private setSpace (down: boolean): void {
    this.space = down
    this.o.scene.svg.classList.toggle('panning', down || this.panning !== null)
  }

  private down (e: PointerEvent): void {
    const { scene, bench } = this.o
    const screen = place(e)
    scene.svg.focus({ preventScroll: true })
    scene.svg.classList.remove('tabbed')
    if (e.pointerType === 'touch') {
      this.touches.set(e.pointerId, screen)
      if (this.touches.size > 1) {
        this.cancel() // two fingers move the board
        return
      }
    }
    if (this.pointer !== null || e.button > 1) return
    scene.svg.setPointerCapture(e.pointerId)
    this.pointer = e.pointerId
    if (e.button === 1 || this.space || bench.store.get().tool === 'hand') {
      this.panning = screen
      scene.svg.classList.add('panning')
      return
    }
    if (!this.o.mayWrite()) return
    this.gesture = this.begin(e)
    if (this.gesture !== null) this.o.onGesture(true)
  }

  private begin (e: PointerEvent): Gesture | null {
    const { bench } = this.o
    const { tool } = bench.store.get()
    const press = this.press(e)
    switch (tool) {
      case 'select': return this.select(e, press)
      case 'pen': return gestures.pen(bench, press)
      case 'rectangle':
      case 'ellipse':
      case 'line':
      case 'arrow': return gestures.draw(bench, tool, press)
      case 'text': return gestures.text(bench, press, this.reach(e))
      case 'hand': return null
    }
  }

  private select (e: PointerEvent, press: Press): Gesture {
    const { bench } = this.o
    const handle = gestures.handleAt(bench, press.world, this.reach(e) * 1.2)
    if (handle !== null) return gestures.resize(bench, handle.shape, handle.handle)
    const shape = pick(bench.board.all(), press.world, this.reach(e))
    if (shape === null) return gestures.marquee(bench, press)
    const { selection } = bench.store.get()
    const chosen = selection.includes(shape.id)
    if (press.shift) bench.store.set({ selection: chosen ? selection.filter(id => id !== shape.id) : [...selection, shape.id] })
    else if (!chosen) bench.store.set({ selection: [shape.id] })
    return gestures.move(bench, press)
  }

  private moved (e: PointerEvent): void {
    const { camera, onPointer } = this.o
    const screen = place(e)
    if (e.pointerType === 'touch' && this.touches.size > 1) {
      this.pinch(e.pointerId, screen)
      return
    }
    if (this.touches.has(e.pointerId)) this.touches.set(e.pointerId, screen)
    if (this.panning !== null && e.pointerId === this.pointer) {
      camera.pan(screen[0] - this.panning[0], screen[1] - this.panning[1])
      this.panning = screen
    }
    onPointer(camera.toWorld(screen))
    if (this.gesture === null || e.pointerId !== this.pointer) return
    const all = e.getCoalescedEvents?.() ?? []
    this.gesture.move((all.length > 0 ? all : [e]).map(one => this.press(one)))
  }

  /** Two fingers: what is under each stays under it. */
  private pinch (id: number, to: Point): void {
    const from = this.touches.get(id)
    const other = [...this.touches].find(([key]) => key !== id)?.[1]
    this.touches.set(id, to)
    if (from === undefined || other === undefined) return
    const spread = (p: Point) => Math.max(1, Math.hypot(p[0] - other[0], p[1] - other[1]))
    const middle = (p: Point): Point => [(p[0] + other[0]) / 2, (p[1] + other[1]) / 2]
    const [a, b] = [middle(from), middle(to)]
    this.o.camera.pan(b[0] - a[0], b[1] - a[1])
    this.o.camera.zoomAt(b, spread(to) / spread(from))
  }

  private up (e: PointerEvent, cancelled = false): void {
    this.touches.delete(e.pointerId)
    if (e.pointerType === 'touch') this.o.onPointer(null)
    if (e.pointerId !== this.pointer) return
    this.pointer = null
    this.panning = null
    this.o.scene.svg.classList.toggle('panning', this.space)
    const going = this.gesture
    this.gesture = null
    if (going === null) return
    if (cancelled) going.cancel()
    else going.end()
    this.o.onGesture(false)
  }

  private doubleClick (e: MouseEvent): void {
    const { bench, camera } = this.o
    if (bench.store.get().tool !== 'select' || !this.o.mayWrite()) return
    const world = camera.toWorld(place(e))
    const shape = pick(bench.board.all(), world, REACH.mouse / bench.zoom())
    if (shape?.kind === 'text') bench.editText(shape.id, false)
  }

  private wheel (e: WheelEvent): void {
    e.preventDefault()
    const unit = WHEEL_UNIT[e.deltaMode] ?? 1
    if (e.ctrlKey || e.metaKey) {
      this.o.camera.zoomAt(place(e), WHEEL_ZOOM ** (-Math.max(-150, Math.min(150, e.deltaY * unit)) / 50))
    } else {
      const [dx, dy] = e.shiftKey && e.deltaX === 0 ? [e.deltaY, 0] : [e.deltaX, e.deltaY]
      this.o.camera.pan(-dx * unit, -dy * unit)
    }
  }

  private press (e: PointerEvent): Press {
    return {
      world: this.o.camera.toWorld(place(e)),
      pressure: e.pointerType === 'pen' && e.pressure > 0 ? e.pressure : null,
      shift: e.shiftKey
    }
  }

  private reach (e: PointerEvent): number {
    return (e.pointerType === 'touch' ? REACH.touch : REACH.mouse) / this.o.bench.zoom()
  }
}

function place (e: MouseEvent): Point {
  return [e.clientX, e.clientY]
}
