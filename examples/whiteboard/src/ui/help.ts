// The list of shortcuts.

import { h } from '../dom'
import { HELP } from '../keyboard'
import { icon } from './icons'

const apple = /Mac|iPhone|iPad/.test(navigator.platform)

function keyName (key: string): string {
  return key === 'Mod' ? (apple ? '⌘' : 'Ctrl') : key
}

export function helpDialog (): HTMLDialogElement {
  const close = h('button', { class: 'button', type: 'button', 'aria-label': 'Close', click: () => dialog.close() }, icon('close'))
  const sections = HELP.map(({ title, keys }) => h('section', {},
    h('h3', {}, title),
    h('dl', {}, ...keys.map(([what, ...names]) => h('div', {},
      h('dt', {}, what),
      h('dd', {}, ...names.map(name => h('kbd', {}, keyName(name)))))))))
  const dialog = h('dialog', { class: 'help', 'aria-labelledby': 'help-title' },
    h('header', {}, h('h2', { id: 'help-title' }, 'Shortcuts'), close),
    h('div', { class: 'help-sections' }, ...sections),
    h('p', { class: 'help-foot' }, 'On a touch screen, two fingers move and zoom the board. Undo takes back what you did, never what others did.'))
  dialog.addEventListener('click', e => { if (e.target === dialog) dialog.close() })
  dialog.addEventListener('keydown', e => { if (e.key === '?') dialog.close() })
  return dialog
}
