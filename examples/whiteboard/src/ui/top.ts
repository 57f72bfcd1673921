// The top of the page: the board's name, the link to it, light or dark.

import { h, set } from '../dom'
import { loadTheme, saveTheme, type Theme } from '../memory'
import { icon, mark } from './icons'

/** The name of the board and the button that copies its link. */
export function roomPanel (room: string, link: string, toast: (text: string) => void): HTMLElement {
  const share = h('button', { class: 'button primary share', type: 'button', 'data-tip': 'Copy the link to this board', click: () => { void copy(link, toast) } },
    icon('link', 18), h('span', { class: 'share-label' }, 'Share'))
  share.setAttribute('aria-label', 'Share: copy the link to this board')
  return h('header', { class: 'panel room' },
    h('a', { class: 'home', href: location.pathname, 'data-tip': 'New board', 'aria-label': 'Symphony: new board' }, mark()),
    h('h1', { class: 'room-name', title: room }, room), share)
}

async function copy (link: string, toast: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(link)
    toast('Link copied. Everyone who opens it draws here with you.')
  } catch {
    // Pages that are not served over https may not write to the clipboard.
    prompt('The link to this board:', link)
  }
}

/** The button between light and dark; follows the system until it is used. */
export function themeButton (): HTMLButtonElement {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const button = h('button', { class: 'button theme', type: 'button', click: () => {
    saveTheme(current() === 'dark' ? 'light' : 'dark')
    show()
  } })
  const current = (): Theme => loadTheme() ?? (dark.matches ? 'dark' : 'light')
  const show = () => {
    const theme = current()
    const next = theme === 'dark' ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = theme
    set(button, { 'aria-label': `Change to ${next}`, 'data-tip': next === 'dark' ? 'Dark' : 'Light' })
    button.replaceChildren(icon(theme === 'dark' ? 'sun' : 'moon'))
  }
  dark.addEventListener('change', show)
  show()
  return button
}
