/** What lists, maps, texts and counters share: the Yjs type behind them, and where it lives. */

import * as Y from 'yjs'
import { RemovedError } from './errors'
import type { Space } from './space'

type YType = Y.AbstractType<any>

/** Functions of this package into the private part of a Synced. */
export let typeOf: (item: Synced) => YType
export let spaceOf: (item: Synced) => Space
export let bind: (item: Synced, type: YType, space: Space) => void

/**
 * A shared value. Get one from a room (`room.newList`, …), by `get` of another,
 * or, to be put somewhere, from `room.newNestedList` and its like.
 */
export abstract class Synced {
  #type: YType
  #space: Space

  static {
    typeOf = item => item.#current()
    spaceOf = item => item.#space
    bind = (item, type, space) => {
      item.#type = type
      item.#space = space
      space.wrappers.set(type, item)
    }
  }

  /** @internal */
  constructor (type: YType, space: Space) {
    this.#type = type
    this.#space = space
    space.wrappers.set(type, this)
  }

  /**
   * False after the value was taken out of the room. Reading then finds nothing, and changing it is a RemovedError.
   * When an undo brings the value back, it is true again.
   * @example
   * const first = list.get(0)
   * list.delete(0)
   * first.isAttached // false
   */
  get isAttached (): boolean {
    return this.#current()._item?.deleted !== true
  }

  /**
   * The Yjs type behind the value, for editor bindings. Changes made through it are not checked, and undone only by
   * histories that are told their origin.
   * @example
   * new Editor({ extensions: [Collaboration.configure({ fragment: text.yjs })] })
   */
  get yjs (): YType {
    return this.#current()
  }

  /** The value as plain JSON. */
  abstract toJSON (): unknown

  /** An undo brings a deleted type back as another one. */
  #current (): YType {
    let item = this.#type._item
    if (item === null || !item.deleted || item.redone === null) return this.#type
    const { store } = this.#space.doc
    while (item.deleted && item.redone !== null) {
      const next: Y.Item | Y.GC = Y.getItem(store, item.redone)
      if (!(next instanceof Y.Item)) break
      item = next
    }
    const { content } = item
    if (content instanceof Y.ContentType && !item.deleted) bind(this, content.type, this.#space)
    return this.#type
  }
}

/** Throws unless the value may be changed. */
export function assertAttached (item: Synced): void {
  if (!item.isAttached) throw new RemovedError('Symphony: this value was removed from the room; get the new one from where it was')
}
