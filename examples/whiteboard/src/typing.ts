// Typing into a text on the board: a field over it, bound to the shared text, so
// that two people can type into the same one.

import type * as Y from 'yjs'
import { h } from './dom'
import { lineHeight, TEXT_FONT, textSize } from './text-size'
import { TEXT_SIZE } from './shape'
import type { Board } from './board'
import type { Camera } from './camera'
import type { Scene } from './scene'
import type { Store } from './store'

export interface Change { readonly at: number, readonly remove: number, readonly insert: string }

/**
 * What turns one text into another: one replacement in the middle. A surrogate
 * pair is never cut in two.
 */
export function textChange (from: string, to: string): Change {
  const most = Math.min(from.length, to.length)
  let start = 0
  while (start < most && from[start] === to[start]) start++
  if (start > 0 && isHigh(from, start - 1)) start--
  let end = 0
  while (end < most - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++
  if (end > 0 && isLow(from, from.length - end)) end--
  return { at: start, remove: from.length - start - end, insert: to.slice(start, to.length - end) }
}

function isHigh (text: string, i: number): boolean {
  const code = text.charCodeAt(i)
  return code >= 0xd800 && code < 0xdc00
}

function isLow (text: string, i: number): boolean {
  const code = text.charCodeAt(i)
  return code >= 0xdc00 && code < 0xe000
}

interface Delta { retain?: number | undefined, insert?: unknown, delete?: number | undefined }

/** Where a caret is after somebody else's change. */
export function movedCaret (caret: number, delta: readonly Delta[]): number {
  let at = 0
  for (const part of delta) {
    if (part.retain !== undefined) at += part.retain
    else if (part.delete !== undefined) caret -= Math.max(0, Math.min(part.delete, caret - at))
    else if (typeof part.insert === 'string') {
      if (at < caret) caret += part.insert.length
      at += part.insert.length
    }
  }
  return caret
}

export class Typing {
  private close: (() => void) | null = null
  /** Puts the open field where its text is. */
  private layout: () => void = () => {}

  constructor (
    private readonly host: HTMLElement,
    private readonly board: Board,
    private readonly scene: Scene,
    private readonly camera: Camera,
    private readonly store: Store
  ) {
    store.on(({ editing }) => { if (editing === null) this.close?.() })
    camera.onChange(() => this.layout())
    board.onChange(() => this.layout())
  }

  /** Opens the field; what is left empty is removed when it closes. */
  open (id: string, isNew: boolean): void {
    this.close?.()
    const text = this.board.text(id)
    if (text === null) return
    if (!isNew) this.board.step()
    const field = h('textarea', { class: 'typing', 'aria-label': 'Text on the board', spellcheck: 'false', rows: 1 })
    field.value = text.toString()
    const layout = () => this.board.get(id) === undefined ? close() : this.place(field, id)
    const onInput = () => {
      const { at, remove, insert } = textChange(text.toString(), field.value)
      this.board.edit(() => {
        if (remove > 0) text.delete(at, remove)
        if (insert !== '') text.insert(at, insert)
      })
      layout()
    }
    const onText = (event: Y.YTextEvent) => {
      if (event.transaction.local && event.transaction.origin === this.board) return
      const [from, to] = [movedCaret(field.selectionStart, event.delta), movedCaret(field.selectionEnd, event.delta)]
      field.value = text.toString()
      field.setSelectionRange(from, to)
      layout()
    }
    const close = () => {
      if (this.close !== close) return
      this.close = null
      this.layout = () => {}
      text.unobserve(onText)
      watch.abort()
      field.remove()
      this.scene.hide(null)
      const empty = this.board.get(id)?.text.trim() === ''
      if (empty) this.board.remove([id])
      this.board.step()
      const there = !empty && this.board.get(id) !== undefined
      this.store.set({ editing: null, tool: 'select', selection: there ? [id] : [] })
    }
    const watch = new AbortController()
    text.observe(onText)
    const signal = { signal: watch.signal }
    field.addEventListener('input', onInput, signal)
    field.addEventListener('blur', () => this.store.set({ editing: null }), signal)
    field.addEventListener('keydown', e => {
      if (e.key === 'Escape' || (e.key === 'Enter' && (e.ctrlKey || e.metaKey))) {
        e.preventDefault()
        this.store.set({ editing: null })
        this.scene.svg.focus()
      }
      e.stopPropagation()
    }, signal)
    this.close = close
    this.layout = layout
    this.host.append(field)
    this.scene.hide(id)
    this.store.set({ editing: id, selection: [] })
    layout()
    field.focus({ preventScroll: true })
  }

  private place (field: HTMLTextAreaElement, id: string): void {
    const shape = this.board.get(id)
    if (shape === undefined) return
    const size = TEXT_SIZE[shape.width]
    const { zoom } = this.camera.view
    const [x, y] = this.camera.toScreen(shape.at)
    const [w, height] = textSize(field.value, size)
    field.className = `typing color-${shape.color}`
    Object.assign(field.style, {
      transform: `translate(${x}px, ${y}px) scale(${zoom})`,
      font: `${size}px/${lineHeight(size)}px ${TEXT_FONT}`,
      width: `${w + size}px`,
      height: `${height}px`
    })
  }
}
