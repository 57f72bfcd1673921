// Who is here, me among them, and how the connection is.

import { h } from '../dom'
import { cleanName, MAX_NAME, saveMe, USER_COLOR_NAMES, USER_COLORS, type Me } from '../memory'
import type { Person, Presence } from '../presence'
import type { Session, Status } from '../session'

/** So many others are shown; the rest is a number. */
const MAX_AVATARS = 4

const STATUS: Record<Status, { readonly label: string, readonly tip: string }> = {
  connecting: { label: 'Connecting…', tip: 'Loading the board' },
  live: { label: 'Live', tip: 'Connected. Everything is stored.' },
  saving: { label: 'Saving…', tip: 'Connected. Storing your last changes.' },
  offline: { label: 'Offline', tip: 'Trying again. What you draw stays in this browser and is sent then.' },
  reading: { label: 'View only', tip: 'You may look at this board, not change it.' },
  refused: { label: 'No access', tip: 'The server refused this board. What you draw stays in this browser.' }
}

/** Up to two letters for an avatar. */
export function initials (name: string): string {
  const words = name.split(' ').filter(word => word !== '')
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map(word => [...word ?? '?'][0] ?? '?').join('').toUpperCase()
}

/** The state of the connection, in a word. */
export function statusPill (session: Session): HTMLElement {
  const label = h('span', { class: 'status-label' })
  const pill = h('div', { class: 'status', role: 'status' }, h('span', { class: 'status-dot' }), label)
  session.onStatus(status => {
    pill.dataset['status'] = status
    pill.dataset['tip'] = STATUS[status].tip
    label.textContent = status === 'offline' && session.unsaved ? 'Offline, not saved' : STATUS[status].label
  })
  return pill
}

/** Everybody's avatars; a click on one goes to their cursor. */
export function people (presence: Presence, goTo: (person: Person) => void): HTMLElement {
  const list = h('ul', { class: 'avatars', 'aria-label': 'People on this board' })
  presence.onChange(others => {
    const shown = others.slice(0, others.length > MAX_AVATARS ? MAX_AVATARS - 1 : MAX_AVATARS)
    const items = shown.map(person => h('li', { 'data-client': person.client },
      h('button', {
        class: 'avatar', type: 'button', style: `--user:${person.color}`, 'aria-label': `${person.name}: go to their cursor`, 'data-tip': person.name,
        click: () => goTo(person)
      }, initials(person.name))))
    if (others.length > shown.length) {
      const rest = others.slice(shown.length).map(person => person.name)
      items.push(h('li', {}, h('span', { class: 'avatar rest', 'aria-label': `And ${rest.join(', ')}`, 'data-tip': rest.slice(0, 8).join(', ') }, `+${rest.length}`)))
    }
    list.replaceChildren(...items)
    list.dataset['others'] = String(others.length)
  })
  return list
}

/** My own avatar, which opens my name and colour. */
export function meButton (presence: Presence, announce: (text: string) => void): HTMLElement {
  const avatar = h('button', { class: 'avatar me', type: 'button', 'aria-haspopup': 'dialog', popovertarget: 'me', 'data-tip': 'You' })
  const name = h('input', { id: 'my-name', type: 'text', maxlength: MAX_NAME, autocomplete: 'nickname', spellcheck: 'false' })
  const swatches = USER_COLORS.map((color, i) => ({
    color,
    button: h('button', {
      class: 'button user-swatch', type: 'button', style: `--user:${color}`, 'aria-label': USER_COLOR_NAMES[i] ?? color, click: () => change({ ...presence.me, color })
    })
  }))
  const show = () => {
    const { me } = presence
    avatar.textContent = initials(me.name)
    avatar.style.setProperty('--user', me.color)
    avatar.setAttribute('aria-label', `You are ${me.name}. Change name and colour`)
    for (const { color, button } of swatches) button.setAttribute('aria-pressed', String(color === me.color))
  }
  const change = (me: Me) => {
    presence.setMe(me)
    saveMe(me)
    show()
  }
  name.addEventListener('input', () => {
    const clean = cleanName(name.value)
    if (clean !== '') change({ ...presence.me, name: clean })
  })
  name.addEventListener('keydown', e => { if (e.key === 'Enter') popover.hidePopover() })
  const popover = h('div', { class: 'panel popover', id: 'me', popover: 'auto', role: 'dialog', 'aria-label': 'Your name and colour' },
    h('label', { for: 'my-name' }, 'Your name'), name,
    h('span', { class: 'popover-label' }, 'Your colour'), h('div', { class: 'user-swatches' }, ...swatches.map(w => w.button)))
  popover.addEventListener('toggle', e => {
    if ((e as ToggleEvent).newState === 'open') {
      name.value = presence.me.name
      name.select()
    } else {
      announce(`You are ${presence.me.name}`)
    }
  })
  show()
  return h('div', { class: 'me-wrap' }, avatar, popover)
}
