// What the page says: short messages, the hint on an empty board, what went wrong.

import { h } from '../dom'
import type { Board } from '../board'
import type { Session } from '../session'

const TOAST_MS = 4_000

export class Messages {
  /** Read aloud, not shown. */
  readonly spoken = h('div', { class: 'spoken', role: 'status', 'aria-live': 'polite' })
  readonly toasts = h('div', { class: 'toasts', role: 'status' })

  announce = (text: string): void => {
    this.spoken.textContent = text
  }

  toast = (text: string, bad = false): void => {
    const same = [...this.toasts.children].find(child => child.textContent === text)
    same?.remove()
    const toast = h('div', { class: bad ? 'toast bad' : 'toast' }, text)
    this.toasts.append(toast)
    setTimeout(() => toast.remove(), TOAST_MS)
  }
}

/** What a new board shows: how to begin. */
export function emptyHint (board: Board, session: Session): HTMLElement {
  const hint = h('div', { class: 'empty' },
    h('p', { class: 'empty-title' }, 'A board for everyone with the link'),
    h('p', {}, 'Draw with the pen, or pick a shape below. Share the link and you see each other draw.'),
    h('p', { class: 'empty-keys' },
      h('kbd', {}, 'P'), ' pen ', h('kbd', {}, 'R'), ' rectangle ', h('kbd', {}, 'T'), ' text ', h('kbd', {}, '?'), ' all shortcuts'))
  const show = () => { hint.hidden = !session.loaded || board.all().length > 0 }
  board.onChange(show)
  session.onStatus(show)
  return hint
}

/** Instead of the board, when the address is wrong. */
export function wrongAddress (text: string): HTMLElement {
  return h('main', { class: 'wrong' }, h('h1', {}, 'This board cannot be opened'), h('p', {}, text),
    h('a', { class: 'button primary', href: location.pathname }, 'Open a new board'))
}
