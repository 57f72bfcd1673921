/** Undo and redo of this client's own changes. */

import * as Y from 'yjs'
import { isMark, walk } from './order'
import type { Space } from './space'

/** The origin of what keeps marks right after an undo. */
const REPAIR = { symphony: 'repair' }

export interface HistoryOptions {
  /** Changes less than so many milliseconds apart are one step. Default 0: each is its own. */
  captureTimeout?: number
  /** Origins of other transactions that count as one's own, of an editor binding say. */
  origins?: unknown[]
}

/**
 * Takes back what this client did, and only that: what others did stays, also
 * where it is about the same value.
 *
 * @example
 * const { history } = room // of the whole room
 * const own = todos.newHistory() // or of one item
 * todos.push({ text: 'oops', done: false })
 * history.undo()
 * history.redo()
 */
export class History {
  readonly #manager: Y.UndoManager
  readonly #space: Space
  readonly #watchers = new Set<() => void>()
  #timeout: number
  #merging = false

  /** @internal */
  constructor (space: Space, scope: Array<Y.AbstractType<any>>, options: HistoryOptions = {}) {
    this.#space = space
    this.#timeout = options.captureTimeout ?? 0
    this.#manager = new Y.UndoManager(scope, {
      doc: space.doc, captureTimeout: this.#timeout, trackedOrigins: new Set<unknown>([space.origin, ...(options.origins ?? [])])
    })
    for (const event of ['stack-item-added', 'stack-item-popped', 'stack-cleared', 'stack-item-updated'] as const) this.#manager.on(event, this.#changed)
    space.histories.add(this)
  }

  /**
   * Takes the last step back. Returns whether there was one.
   * @example
   * history.undo()
   */
  undo (): boolean {
    return this.#pop('undo')
  }

  /**
   * Does again what the last undo took back. Returns whether there was anything.
   * @example
   * history.redo()
   */
  redo (): boolean {
    return this.#pop('redo')
  }

  /**
   * Whether there is a step to take back.
   * @example
   * undoButton.disabled = !history.canUndo()
   */
  canUndo (): boolean {
    return this.#manager.undoStack.length > 0
  }

  /**
   * Whether there is a step to do again.
   * @example
   * redoButton.disabled = !history.canRedo()
   */
  canRedo (): boolean {
    return this.#manager.redoStack.length > 0
  }

  /**
   * Forgets all steps. The data stays as it is.
   * @example
   * history.clear()
   */
  clear (): void {
    this.#manager.clear()
    this.#manager.stopCapturing()
  }

  /**
   * From now on all changes are one step, until stopMergingAll: while something is dragged, say.
   * @example
   * element.onpointerdown = () => history.mergeAll()
   * element.onpointerup = () => history.stopMergingAll()
   */
  mergeAll (): void {
    this.#manager.stopCapturing()
    this.#merging = true
    this.#manager.captureTimeout = Infinity
  }

  /**
   * Ends mergeAll: the next change is a new step.
   * @example
   * history.stopMergingAll()
   */
  stopMergingAll (): void {
    this.#merging = false
    this.#manager.captureTimeout = this.#timeout
    this.#manager.stopCapturing()
  }

  /**
   * The next change is a new step, however soon it comes.
   * @example
   * editor.onblur = () => history.stopCaptureTimeout()
   */
  stopCaptureTimeout (): void {
    this.#manager.stopCapturing()
  }

  /**
   * Changes less than so many milliseconds apart are one step; 0: each is its own. May be set at any time.
   * @example
   * history.captureTimeout = 500 // for typing
   */
  get captureTimeout (): number {
    return this.#timeout
  }

  set captureTimeout (ms: number) {
    if (typeof ms !== 'number' || !(ms >= 0)) throw new RangeError(`Symphony: ${String(ms)} is no number of milliseconds`)
    this.#timeout = ms
    if (!this.#merging) this.#manager.captureTimeout = ms
  }

  /**
   * Calls a function whenever canUndo or canRedo may have changed. Returns what ends it.
   * @example
   * const stop = history.subscribe(() => { undoButton.disabled = !history.canUndo() })
   */
  subscribe (changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => { this.#watchers.delete(changed) }
  }

  /**
   * Ends the history. The room ends its own by itself.
   * @example
   * history.destroy()
   */
  destroy (): void {
    this.#watchers.clear()
    this.#space.histories.delete(this)
    this.#manager.destroy()
  }

  /** Another type counts too. @internal */
  add (type: Y.AbstractType<any>): void {
    this.#manager.addToScope(type)
  }

  /** No step reaches over this point. @internal */
  cut (): void {
    if (!this.#merging) this.#manager.stopCapturing()
  }

  readonly #changed = (): void => {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #pop (what: 'undo' | 'redo'): boolean {
    this.#space.guard()
    const lists: Array<Y.Array<unknown>> = []
    const collect = (event: { changedParentTypes: Map<Y.AbstractType<any>, unknown> }): void => {
      for (const type of event.changedParentTypes.keys()) if (this.#space.moved.has(type)) lists.push(type as Y.Array<unknown>)
    }
    this.#manager.on('stack-item-popped', collect)
    this.#separate(what === 'undo' ? this.#manager.undoStack : this.#manager.redoStack)
    const done = this.#manager[what]() !== null
    this.#manager.off('stack-item-popped', collect)
    for (const list of lists) this.#repair(list)
    return done
  }

  /**
   * Yjs follows a run of elements that it brought back from the first of them, as if one fate had met all. Where a part was
   * deleted since, and brought back by itself, the run is cut, so that each part is followed to where it is.
   */
  #separate (stack: Y.UndoManager['undoStack']): void {
    Y.transact(this.#space.doc, transaction => {
      // A step without effect is skipped, and the next one taken: down to one that has an effect for certain.
      for (let at = stack.length - 1, live = false; at >= 0 && !live; at--) {
        Y.iterateDeletedStructs(transaction, stack[at]!.insertions, ({ id, length }) => { live = separate(transaction, id, length) || live })
      }
    }, REPAIR)
  }

  /**
   * An undo brings deleted elements back under new ids. Marks that came back with them name the old ones, and no other
   * client knows which became which: they are made anew here. Steps find the new mark as they find what they brought back.
   */
  #repair (list: Y.Array<unknown>): void {
    const { doc } = this.#space
    const stale: Array<{ at: number, old: Y.ID, $move: [number, number], n: number }> = []
    walk(list, (value, at, client, clock) => {
      if (!isMark(value)) return
      const now = redone(doc, value.$move)
      if (now !== null) stale.push({ at, old: Y.createID(client, clock), $move: now, n: value.n })
    })
    if (stale.length === 0) return
    doc.transact(() => {
      for (const { at, old, $move, n } of stale) {
        const made = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
        list.insert(at + 1, [{ $move, n }])
        list.delete(at)
        ;(Y.getItem(doc.store, old) as Y.Item).redone = made
      }
      this.#space.touch(list)
    }, REPAIR)
  }
}

/** Makes items no longer than what became of each. Returns whether anything of it is still there. */
function separate (transaction: Y.Transaction, { client, clock }: Y.ID, length: number): boolean {
  let live = false
  for (const end = clock + length; clock < end;) {
    const item = Y.getItem(transaction.doc.store, Y.createID(client, clock)) as Y.Item | Y.GC
    let same = item.id.clock + item.length - clock
    if (item instanceof Y.Item && item.redone !== null) {
      const heir = Y.createID(item.redone.client, item.redone.clock + clock - item.id.clock)
      live = separate(transaction, heir, Math.min(same, end - clock)) || live
      const first = Y.getItem(transaction.doc.store, heir)
      const left = first.id.clock + first.length - heir.clock
      if (left < same) Y.getItemCleanStart(transaction, Y.createID(client, clock + (same = left)))
    } else if (!item.deleted) live = true
    clock += same
  }
  return live
}

/** Under which id an element was brought back, null when it was not. */
function redone (doc: Y.Doc, [client, clock]: [number, number]): [number, number] | null {
  let id = Y.createID(client, clock)
  for (let moved = false; ; moved = true) {
    if (id.clock >= Y.getState(doc.store, id.client)) return null
    const item = Y.getItem(doc.store, id) as Y.Item | Y.GC
    if (!(item instanceof Y.Item)) return null
    if (!item.deleted) return moved ? [id.client, id.clock] : null
    if (item.redone === null) return null
    id = Y.createID(item.redone.client, item.redone.clock + id.clock - item.id.clock)
  }
}
