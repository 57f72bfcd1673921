// Who is here, where they point, and what they have chosen.

import { h, s } from './dom'
import { cleanName, isColor, USER_COLORS, type Me } from './memory'
import { throttle } from './throttle'
import type { Awareness } from 'y-protocols/awareness'
import type { Camera } from './camera'
import type { Point } from './geometry'

export interface Person {
  readonly client: number
  readonly name: string
  readonly color: string
  readonly cursor: Point | null
  readonly selection: readonly string[]
}

/** Presence is sent at most this often. */
const PRESENCE_MS = 80
/** More of a selection than this is not shown to others. */
const MAX_SELECTION = 50

/** Reads what somebody else says of themselves; null when it is not ours to understand. */
export function readPerson (client: number, state: unknown): Person | null {
  if (typeof state !== 'object' || state === null) return null
  const { user, cursor, selection } = state as Record<string, unknown>
  if (typeof user !== 'object' || user === null) return null
  const { name, color } = user as Record<string, unknown>
  const clean = typeof name === 'string' ? cleanName(name) : ''
  return {
    client,
    name: clean === '' ? 'Someone' : clean,
    color: isColor(color) ? color : USER_COLORS[client % USER_COLORS.length] as string,
    cursor: isPoint(cursor) ? cursor : null,
    selection: Array.isArray(selection) ? selection.filter(id => typeof id === 'string').slice(0, MAX_SELECTION) : []
  }
}

function isPoint (value: unknown): value is Point {
  return Array.isArray(value) && value.length === 2 && value.every(n => typeof n === 'number' && Number.isFinite(n))
}

export class Presence {
  /** The layer of cursors, to be laid over the board. */
  readonly layer = h('div', { class: 'cursors', 'aria-hidden': 'true' })
  private readonly cursors = new Map<number, HTMLElement>()
  private readonly listeners = new Set<(others: readonly Person[]) => void>()
  private state: { user: Me, cursor: Point | null, selection: readonly string[] }
  private readonly publish = throttle(() => this.awareness.setLocalState({ ...this.state }), PRESENCE_MS)
  private zoom = 0

  constructor (private readonly awareness: Awareness, private readonly camera: Camera, me: Me) {
    this.state = { user: me, cursor: null, selection: [] }
    this.publish()
    awareness.on('change', () => this.changed())
    camera.onChange(view => {
      this.layer.style.transform = `translate(${view.x}px, ${view.y}px)`
      // Cursors glide when they move, not when the board is zoomed under them.
      if (view.zoom !== this.zoom) this.layer.classList.add('still')
      this.zoom = view.zoom
      this.draw()
    })
  }

  get me (): Me { return this.state.user }

  /** Everybody else, in the order of their client ids; two tabs are two people. */
  others (): Person[] {
    return [...this.awareness.getStates()]
      .filter(([client]) => client !== this.awareness.clientID)
      .map(([client, state]) => readPerson(client, state))
      .filter(person => person !== null)
      .sort((a, b) => a.client - b.client)
  }

  onChange (listener: (others: readonly Person[]) => void): void {
    this.listeners.add(listener)
    listener(this.others())
  }

  setMe (me: Me): void {
    this.state = { ...this.state, user: me }
    this.publish()
  }

  setCursor (at: Point | null): void {
    this.state = { ...this.state, cursor: at === null ? null : [Math.round(at[0] * 10) / 10, Math.round(at[1] * 10) / 10] }
    this.publish()
  }

  setSelection (ids: readonly string[]): void {
    if (ids.join() === this.state.selection.join()) return
    this.state = { ...this.state, selection: ids.slice(0, MAX_SELECTION) }
    this.publish()
  }

  private changed (): void {
    this.layer.classList.remove('still')
    this.draw()
    const others = this.others()
    for (const listener of this.listeners) listener(others)
  }

  private draw (): void {
    const { zoom } = this.camera.view
    const left = new Set(this.cursors.keys())
    for (const person of this.others()) {
      if (person.cursor === null) continue
      left.delete(person.client)
      let cursor = this.cursors.get(person.client)
      if (cursor === undefined) {
        cursor = makeCursor()
        cursor.dataset['client'] = String(person.client)
        this.cursors.set(person.client, cursor)
        this.layer.append(cursor)
      }
      cursor.style.setProperty('--user', person.color)
      cursor.style.transform = `translate(${person.cursor[0] * zoom}px, ${person.cursor[1] * zoom}px)`
      const label = cursor.lastElementChild
      if (label !== null && label.textContent !== person.name) label.textContent = person.name
    }
    for (const client of left) {
      this.cursors.get(client)?.remove()
      this.cursors.delete(client)
    }
  }
}

function makeCursor (): HTMLElement {
  return h('div', { class: 'cursor' },
    s('svg', { viewBox: '0 0 20 20', width: 20, height: 20 }, s('path', { d: 'M2.5 2.2 16.6 8.3c.9.4.8 1.6-.1 1.9l-5.3 1.6-2.2 5c-.4.9-1.6.8-1.9-.1z' })),
    h('span', { class: 'cursor-name' }))
}
