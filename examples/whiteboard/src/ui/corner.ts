// Undo, redo, zoom and help, in the corners.

import { h } from '../dom'
import { icon, type IconName } from './icons'
import type { Actions } from '../actions'
import type { Board } from '../board'
import type { Camera } from '../camera'

const ZOOM_STEP = 1.25

function button (name: IconName, label: string, tip: string, click: () => void): HTMLButtonElement {
  return h('button', { class: 'button', type: 'button', 'aria-label': label, 'data-tip': tip, 'data-action': name, click }, icon(name))
}

export function historyButtons (board: Board, actions: Actions): HTMLElement {
  const undo = button('undo', 'Undo', 'Undo  ·  Ctrl Z', () => actions.undo())
  const redo = button('redo', 'Redo', 'Redo  ·  Ctrl Shift Z', () => actions.redo())
  const show = () => {
    undo.disabled = !board.undoManager.canUndo()
    redo.disabled = !board.undoManager.canRedo()
  }
  board.undoManager.on('stack-item-added', show)
  board.undoManager.on('stack-item-popped', show)
  board.undoManager.on('stack-cleared', show)
  show()
  return h('div', { class: 'panel history', role: 'group', 'aria-label': 'History' }, undo, redo)
}

export function zoomButtons (camera: Camera, actions: Actions): HTMLElement {
  const level = h('button', { class: 'button zoom-level', type: 'button', 'data-tip': 'Show everything  ·  Shift 1', click: () => actions.zoomFit() })
  camera.onChange(({ zoom }) => {
    level.textContent = `${Math.round(zoom * 100)}%`
    level.setAttribute('aria-label', `Zoom ${Math.round(zoom * 100)} percent; show everything`)
  })
  return h('div', { class: 'panel zoom', role: 'group', 'aria-label': 'Zoom' },
    button('minus', 'Zoom out', 'Zoom out  ·  −', () => actions.zoom(1 / ZOOM_STEP)), level,
    button('plus', 'Zoom in', 'Zoom in  ·  +', () => actions.zoom(ZOOM_STEP)))
}
