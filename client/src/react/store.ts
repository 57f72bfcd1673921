/** What React reads: a snapshot that stays the same object until its content changes. */

import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { IsEqual } from './equal'
import { share } from './share'

/** One source of changes, shared by all components that read it. */
export class Store<T> {
  readonly #read: () => T
  readonly #listen: (changed: () => void) => () => void
  readonly #listeners = new Set<() => void>()
  #stop: (() => void) | null = null
  #snapshot: T | undefined
  #stale = true

  /**
   * @param read makes a snapshot
   * @param listen calls back at each change until the function it returns is called
   */
  constructor (read: () => T, listen: (changed: () => void) => () => void) {
    this.#read = read
    this.#listen = listen
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // Each subscription counts, also when two have the same listener.
    const own = (): void => { listener() }
    this.#listeners.add(own)
    if (this.#stop === null) {
      this.#stop = this.#listen(this.#changed)
      this.#stale = true // it may have changed since it was read
    }
    return () => {
      this.#listeners.delete(own)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = null
    }
  }

  readonly get = (): T => {
    // Without a listener nothing says that it changed: read again, but keep what is the same.
    if (this.#stale || this.#stop === null) {
      this.#snapshot = share(this.#snapshot, this.#read())
      this.#stale = false
    }
    return this.#snapshot as T
  }

  readonly #changed = (): void => {
    this.#stale = true
    for (const listener of [...this.#listeners]) listener()
  }
}

/**
 * A part of a store's snapshot. Renders again only when the part changes by `isEqual`; `select` may be a new function
 * each time.
 */
export function useSelected<T, S> (store: Store<T>, select: (snapshot: T) => S, isEqual: IsEqual<S>): S {
  const shown = useRef<{ selection: S } | null>(null)
  const get = useMemo(() => {
    let memo: { snapshot: T, selection: S } | null = null
    return (): S => {
      const snapshot = store.get()
      if (memo !== null && Object.is(memo.snapshot, snapshot)) return memo.selection
      const selection = select(snapshot)
      const before = memo ?? shown.current
      memo = { snapshot, selection: before !== null && isEqual(before.selection, selection) ? before.selection : selection }
      return memo.selection
    }
  }, [store, select, isEqual])
  const selection = useSyncExternalStore(store.subscribe, get, get)
  useEffect(() => { shown.current = { selection } })
  return selection
}
