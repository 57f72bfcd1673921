// What this browser remembers about its user. Storage may be switched off: then
// nothing is remembered, and nothing breaks.

import { userName, randomBelow } from './words'
import type { Point } from './geometry'

export interface Me { readonly name: string, readonly color: string }

/** Colours of cursors and avatars: white text on each has a contrast of at least 4.5. */
export const USER_COLORS = ['#c2255c', '#9c36b5', '#6741d9', '#3b5bdb', '#1864ab', '#0b7285', '#087f5b', '#2b7a1f', '#a6540a', '#c92a2a'] as const
export const USER_COLOR_NAMES = ['Raspberry', 'Plum', 'Violet', 'Indigo', 'Blue', 'Teal', 'Emerald', 'Green', 'Bronze', 'Red'] as const

/** As many letters as fit beside a cursor. */
export const MAX_NAME = 24

function read (key: string): string | null {
  try {
    return localStorage.getItem(`symphony-whiteboard.${key}`)
  } catch {
    return null
  }
}

function write (key: string, value: string): void {
  try {
    localStorage.setItem(`symphony-whiteboard.${key}`, value)
  } catch {
    // Private windows may refuse; then it is for this page only.
  }
}

/** A name as it may be shown: one line, not too long. */
export function cleanName (name: string): string {
  return [...name.replace(/\s+/g, ' ').trim()].slice(0, MAX_NAME).join('')
}

export function isColor (value: unknown): value is string {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value)
}

export function loadMe (): Me {
  const name = cleanName(read('name') ?? '')
  const color = read('color')
  const me = {
    name: name === '' ? userName() : name,
    color: isColor(color) ? color : USER_COLORS[randomBelow(USER_COLORS.length)] as string
  }
  saveMe(me)
  return me
}

export function saveMe (me: Me): void {
  write('name', me.name)
  write('color', me.color)
}

/** The part of a board that was seen. */
export interface SavedView { readonly middle: Point, readonly zoom: number }

/** Remembered as long as the tab is open. */
export function saveView (room: string, view: SavedView): void {
  try {
    sessionStorage.setItem(viewKey(room), JSON.stringify(view))
  } catch {
    // As above.
  }
}

export function loadView (room: string): SavedView | null {
  try {
    const view: unknown = JSON.parse(sessionStorage.getItem(viewKey(room)) ?? 'null')
    const { middle, zoom } = view as { middle?: unknown, zoom?: unknown }
    const numbers = Array.isArray(middle) ? [...middle as unknown[], zoom] : []
    return numbers.length === 3 && numbers.every(n => Number.isFinite(n)) ? view as SavedView : null
  } catch {
    return null
  }
}

function viewKey (room: string): string {
  return `symphony-whiteboard.view.${room}`
}

export type Theme = 'light' | 'dark'

export function loadTheme (): Theme | null {
  const theme = read('theme')
  return theme === 'light' || theme === 'dark' ? theme : null
}

export function saveTheme (theme: Theme): void {
  write('theme', theme)
}
