/** From Yjs transactions to one call for each subscriber. */

import * as Y from 'yjs'
import { viewOf } from './order'
import type { Space } from './space'
import { Synced, typeOf } from './synced'
import type { Topics } from './topics'

type YType = Y.AbstractType<any>

/** What happened to a value that somebody subscribed to. */
export interface Change {
  /** True when it was made here, undo and redo included. */
  readonly local: boolean
  /** True when it was an undo or redo of this client. */
  readonly undo: boolean
  /**
   * Where, from the subscribed value: `[]` is the value itself, `[2, 'title']` the text called title in the element 2. Worked
   * out when asked for.
   */
  readonly paths: ReadonlyArray<ReadonlyArray<string | number>>
}

/** Watches a document for the subscribers of its values. */
export class Changes {
  readonly #space: Space
  readonly #topics: Topics
  #changed = new Set<YType>()
  #local = false
  #undo = false

  constructor (space: Space, topics: Topics) {
    this.#space = space
    this.#topics = topics
    space.doc.on('afterTransaction', this.#collect)
    space.doc.on('afterAllTransactions', this.#tell)
  }

  destroy (): void {
    this.#space.doc.off('afterTransaction', this.#collect)
    this.#space.doc.off('afterAllTransactions', this.#tell)
  }

  readonly #collect = (transaction: Y.Transaction): void => {
    if (transaction.changed.size === 0) return
    for (const type of transaction.changed.keys()) this.#changed.add(type)
    this.#local ||= transaction.local
    this.#undo ||= transaction.origin instanceof Y.UndoManager
  }

  /** An undo may take two transactions; subscribers hear of both at once. */
  readonly #tell = (): void => {
    if (this.#changed.size === 0) return
    const changed = this.#changed
    const [local, undo] = [this.#local, this.#undo]
    this.#changed = new Set()
    this.#local = this.#undo = false
    const subscribed = new Map<YType, Synced>()
    for (const topic of this.#topics.topics()) if (topic instanceof Synced) subscribed.set(typeOf(topic), topic)
    if (subscribed.size === 0) return
    const told = new Map<Synced, YType[]>()
    for (const type of changed) {
      for (let at: YType | null = type; at !== null; at = parent(at)) {
        const item = subscribed.get(at)
        if (item === undefined) continue
        const types = told.get(item)
        if (types === undefined) told.set(item, [type])
        else types.push(type)
      }
    }
    for (const [item, types] of told) this.#topics.emit(item, item, new Told(this.#space, typeOf(item), types, local, undo))
  }
}

class Told implements Change {
  readonly local: boolean
  readonly undo: boolean
  readonly #space: Space
  readonly #root: YType
  readonly #types: YType[]
  #paths: Array<Array<string | number>> | null = null

  constructor (space: Space, root: YType, types: YType[], local: boolean, undo: boolean) {
    this.local = local
    this.undo = undo
    this.#space = space
    this.#root = root
    this.#types = types
  }

  get paths (): ReadonlyArray<ReadonlyArray<string | number>> {
    this.#paths ??= this.#types.map(type => this.#path(type)).filter(path => path !== null)
    return this.#paths
  }

  /** Null for what is not there any more. */
  #path (type: YType): Array<string | number> | null {
    const path: Array<string | number> = []
    for (let at = type; at !== this.#root;) {
      const item: Y.Item | null = at._item
      if (item === null || item.deleted) return null
      const above = item.parent as YType
      const step = item.parentSub ?? this.#index(above as Y.Array<unknown>, at)
      if (step === undefined) return null
      path.unshift(step)
      at = above
    }
    return path
  }

  /** Through one index for the whole list: asking one by one would be quadratic. */
  #index (list: Y.Array<unknown>, type: YType): number | undefined {
    const view = viewOf(this.#space, list)
    view.index ??= new Map(view.entries.map((entry, at) => [entry.value, at]))
    return view.index.get(type)
  }
}

function parent (type: YType): YType | null {
  return (type._item?.parent as YType | undefined) ?? null
}
