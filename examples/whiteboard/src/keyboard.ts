// Shortcuts. The same list makes the help.

import { COLORS } from './shape'
import type { Actions } from './actions'
import type { ToolName } from './store'

export const TOOL_KEYS: Record<ToolName, string> = {
  select: 'V', hand: 'H', pen: 'P', rectangle: 'R', ellipse: 'O', line: 'L', arrow: 'A', text: 'T'
}

/** "Mod" is ⌘ on Apple's machines and Ctrl elsewhere. */
export const HELP: readonly { readonly title: string, readonly keys: readonly (readonly [what: string, ...keys: string[]])[] }[] = [
  {
    title: 'Tools',
    keys: [
      ['Select', 'V'], ['Hand', 'H'], ['Pen', 'P'], ['Rectangle', 'R'], ['Ellipse', 'O'], ['Line', 'L'], ['Arrow', 'A'], ['Text', 'T'],
      ['Colour', '1', '…', '8']
    ]
  },
  {
    title: 'View',
    keys: [
      ['Move the view', 'Space', 'drag'], ['Zoom', 'Mod', 'wheel'], ['Zoom in, out', '+', '−'], ['100 %', '0'], ['Show everything', 'Shift', '1']
    ]
  },
  {
    title: 'Edit',
    keys: [
      ['Undo', 'Mod', 'Z'], ['Redo', 'Mod', 'Shift', 'Z'], ['Delete', 'Del'], ['Duplicate', 'Mod', 'D'], ['Select all', 'Mod', 'A'],
      ['To front, to back', ']', '['], ['Square, straight', 'Shift', 'drag'], ['Cancel', 'Esc']
    ]
  },
  {
    title: 'Without a pointer',
    keys: [['Add what the tool draws', 'Enter'], ['Next, previous shape', 'N', 'Shift N'], ['Move it', '← ↑ → ↓'], ['In larger steps', 'Shift', '← ↑ → ↓']]
  }
]

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]
}
const NUDGE = 2
const NUDGE_LARGE = 16
const ZOOM_STEP = 1.25

export interface Keys {
  readonly actions: Actions
  /** Whether the key was pressed on the board, not on a button. */
  readonly onBoard: (e: KeyboardEvent) => boolean
  readonly escape: () => void
  readonly help: () => void
}

/** @returns whether the key meant something */
export function handleKey (e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey' | 'code'>, keys: Keys, onBoard: boolean): boolean {
  if (e.altKey) return false
  const { actions } = keys
  return e.ctrlKey || e.metaKey ? command(e.key.toLowerCase(), e.shiftKey, actions) : plain(e, keys, onBoard)
}

function command (key: string, shift: boolean, actions: Actions): boolean {
  switch (key) {
    case 'z': shift ? actions.redo() : actions.undo(); return true
    case 'y': actions.redo(); return true
    case 'd': actions.duplicate(); return true
    case 'a': actions.selectAll(); return true
    default: return false
  }
}

function plain (e: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'code'>, keys: Keys, onBoard: boolean): boolean {
  const { actions } = keys
  const arrow = ARROWS[e.key]
  if (arrow !== undefined) {
    if (!onBoard) return false
    const by = e.shiftKey ? NUDGE_LARGE : NUDGE
    actions.nudge(arrow[0] * by, arrow[1] * by)
    return true
  }
  if (e.shiftKey && e.code === 'Digit1') { actions.zoomFit(); return true }
  const color = COLORS[Number(e.key) - 1]
  if (color !== undefined) { actions.style({ color }); return true }
  switch (e.key) {
    case 'Enter': if (onBoard) actions.enter(); return onBoard
    case 'Escape': keys.escape(); return true
    case 'Delete':
    case 'Backspace': actions.remove(); return true
    case ']': actions.reorder('front'); return true
    case '[': actions.reorder('back'); return true
    case '+':
    case '=': actions.zoom(ZOOM_STEP); return true
    case '-':
    case '_': actions.zoom(1 / ZOOM_STEP); return true
    case '0': actions.zoomReset(); return true
    case '?': keys.help(); return true
  }
  const key = e.key.toUpperCase()
  if (key === 'N') { actions.selectNext(e.shiftKey ? -1 : 1); return true }
  const tool = (Object.keys(TOOL_KEYS) as ToolName[]).find(name => TOOL_KEYS[name] === key)
  if (tool === undefined || e.shiftKey) return false
  actions.tool(tool)
  return true
}

/** Listens to the whole page, except while somebody types. */
export function listenToKeys (keys: Keys): void {
  addEventListener('keydown', e => {
    const target = e.target as HTMLElement | null
    if (e.defaultPrevented || e.isComposing) return
    if (target?.closest('input, textarea, select, dialog, [contenteditable]') != null) return
    if (handleKey(e, keys, keys.onBoard(e))) e.preventDefault()
  })
}
