// The toolbar, the styles, and what can be done with a selection.

import { h } from '../dom'
import { COLORS, WIDTHS, type Color, type Style, type Width } from '../shape'
import { TOOL_KEYS } from '../keyboard'
import { TOOLS, type Store, type ToolName } from '../store'
import { icon } from './icons'
import type { Actions } from '../actions'
import type { Board } from '../board'

export const TOOL_NAMES: Record<ToolName, string> = {
  select: 'Select', hand: 'Hand', pen: 'Pen', rectangle: 'Rectangle', ellipse: 'Ellipse', line: 'Line', arrow: 'Arrow', text: 'Text'
}
const WIDTH_NAMES: Record<Width, string> = { s: 'Thin', m: 'Medium', l: 'Thick' }
const COLOR_NAMES: Record<Color, string> = {
  ink: 'Ink', red: 'Red', orange: 'Orange', amber: 'Amber', green: 'Green', blue: 'Blue', violet: 'Violet', pink: 'Pink'
}

function press (button: HTMLElement, pressed: boolean): void {
  button.setAttribute('aria-pressed', String(pressed))
}

/** The tools, at the bottom; with the button that opens the styles on a phone. */
export function toolbar (store: Store, actions: Actions, styles: HTMLElement): HTMLElement {
  const buttons = new Map<ToolName, HTMLElement>()
  for (const tool of TOOLS) {
    const label = TOOL_NAMES[tool]
    buttons.set(tool, h('button', {
      class: `button tool tool-${tool}`, type: 'button', 'aria-label': label, 'aria-keyshortcuts': TOOL_KEYS[tool],
      'data-tip': `${label}  ·  ${TOOL_KEYS[tool]}`, 'data-tool': tool, click: () => actions.tool(tool)
    }, icon(tool)))
  }
  const swatch = h('span', { class: 'swatch-dot' })
  const more = h('button', {
    class: 'button style-button', type: 'button', 'aria-label': 'Colour and width', 'aria-expanded': 'false', 'aria-controls': 'styles',
    click: () => { more.setAttribute('aria-expanded', String(styles.classList.toggle('open'))) }
  }, swatch)
  addEventListener('pointerdown', e => {
    if (e.target instanceof Node && (styles.contains(e.target) || more.contains(e.target))) return
    styles.classList.remove('open')
    more.setAttribute('aria-expanded', 'false')
  })
  store.on(({ tool, color }) => {
    for (const [name, button] of buttons) press(button, name === tool)
    swatch.className = `swatch-dot color-${color}`
  })
  const [first, second, ...rest] = [...buttons.values()] as [HTMLElement, HTMLElement, ...HTMLElement[]]
  return h('div', { class: 'panel toolbar', role: 'toolbar', 'aria-label': 'Tools' },
    first, second, h('span', { class: 'divider tool-divider' }), ...rest, h('span', { class: 'divider style-divider' }), more)
}

/** Colours, widths and the fill. */
export function stylePanel (store: Store, actions: Actions): HTMLElement {
  const colors = COLORS.map((color, i) => ({
    color,
    button: h('button', {
      class: `button swatch color-${color}`, type: 'button', 'aria-label': COLOR_NAMES[color], 'data-tip': `${COLOR_NAMES[color]}  ·  ${i + 1}`,
      'aria-keyshortcuts': String(i + 1), 'data-color': color, click: () => actions.style({ color })
    }, h('span', { class: 'swatch-dot' }))
  }))
  const widths = WIDTHS.map(width => ({
    width,
    button: h('button', {
      class: `button width width-${width}`, type: 'button', 'aria-label': WIDTH_NAMES[width], 'data-tip': WIDTH_NAMES[width], 'data-width': width,
      click: () => actions.style({ width })
    }, h('span', { class: 'width-line' }))
  }))
  const fill = h('button', {
    class: 'button fill-button', type: 'button', 'aria-label': 'Fill shapes', 'data-tip': 'Fill shapes', click: () => actions.style({ fill: !store.get().fill })
  }, h('span', { class: 'fill-sample' }))
  store.on((now: Style) => {
    for (const { color, button } of colors) press(button, color === now.color)
    for (const { width, button } of widths) press(button, width === now.width)
    press(fill, now.fill)
  })
  const group = (label: string, name: string, ...children: HTMLElement[]) =>
    h('div', { class: `group ${name}`, role: 'group', 'aria-label': label }, ...children)
  return h('div', { class: 'panel styles', id: 'styles', role: 'toolbar', 'aria-label': 'Style', 'aria-orientation': 'vertical' },
    group('Colour', 'colors', ...colors.map(c => c.button)), h('span', { class: 'divider first' }),
    group('Width', 'widths', ...widths.map(w => w.button)), h('span', { class: 'divider' }),
    group('Fill', 'fills', fill))
}

/** What can be done with what is selected; hidden when nothing is. */
export function selectionBar (store: Store, board: Board, actions: Actions): HTMLElement {
  const button = (name: 'copy' | 'front' | 'back' | 'trash', label: string, key: string, click: () => void) => h('button', {
    class: `button ${name === 'trash' ? 'danger' : ''}`, type: 'button', 'aria-label': label, 'data-tip': `${label}  ·  ${key}`, 'data-action': name, click
  }, icon(name, 18))
  const count = h('span', { class: 'count' })
  const bar = h('div', { class: 'panel selection-bar', role: 'toolbar', 'aria-label': 'Selection' },
    count,
    button('copy', 'Duplicate', 'Ctrl D', () => actions.duplicate()),
    button('front', 'To front', ']', () => actions.reorder('front')),
    button('back', 'To back', '[', () => actions.reorder('back')),
    h('span', { class: 'divider' }),
    button('trash', 'Delete', 'Del', () => actions.remove()))
  const show = () => {
    const { selection } = store.get()
    bar.hidden = selection.length === 0
    count.textContent = selection.length === 1 ? '1 selected' : `${selection.length} selected`
  }
  board.onChange(changes => {
    const { selection } = store.get()
    const left = selection.filter(id => changes.get(id) !== null)
    if (left.length < selection.length) store.set({ selection: left })
  })
  store.on(show)
  return bar
}
