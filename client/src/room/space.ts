/**
 * One document and the values that stand for its types.
 *
 * A room has one; a nested value that was not put anywhere yet lives in a small
 * one of its own, and moves when it is put into a room.
 */

import * as Y from 'yjs'
import type { History } from './history'
import type { View } from './order'
import { isMark } from './order'
import type { Synced } from './synced'

type YType = Y.AbstractType<any>

export class Space {
  readonly doc: Y.Doc
  /** The origin of changes made through values. */
  readonly origin: object = { symphony: 'local' }
  /** Throws when nothing may be changed. */
  readonly guard: () => void
  /** Of a value that is in no room yet: what it is. */
  root: YType | null = null
  readonly wrappers = new WeakMap<YType, Synced>()
  /** Lists in which something was moved. */
  readonly moved = new WeakSet<YType>()
  /** Their order, until they change. */
  readonly views = new WeakMap<YType, View>()
  /** Frozen JSON, until the value or something in it changes. */
  readonly snapshots = new WeakMap<YType, unknown>()

  /** What is to hear of a bundle's edges. */
  readonly histories = new Set<History>()

  constructor (doc: Y.Doc, guard: () => void = () => {}) {
    this.doc = doc
    this.guard = guard
    doc.on('beforeObserverCalls', transaction => {
      this.#findMarks(transaction)
      for (const type of transaction.changed.keys()) this.touch(type)
    })
  }

  /** Runs a change as (part of) one transaction. */
  change<R> (run: () => R): R {
    this.guard()
    return this.doc.transact(run, this.origin)
  }

  /** What is remembered of a type and what it is in counts no more. */
  touch (type: YType): void {
    this.views.delete(type)
    for (let at: YType | null = type; at !== null; at = (at._item?.parent as YType | undefined) ?? null) this.snapshots.delete(at)
  }

  /** Looks only at what is new: a scan of whole lists would make many small changes quadratic. */
  #findMarks (transaction: Y.Transaction): void {
    for (const [client, end] of transaction.afterState) {
      const begin = transaction.beforeState.get(client) ?? 0
      if (begin === end) continue
      const structs = transaction.doc.store.clients.get(client)!
      for (let at = Y.findIndexSS(structs, begin); at < structs.length; at++) {
        const struct = structs[at]!
        if (struct instanceof Y.Item && struct.content instanceof Y.ContentAny && struct.content.arr.some(isMark)) this.moved.add(struct.parent as YType)
      }
    }
  }
}
