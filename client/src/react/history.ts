/** Hook of undo and redo. */

import { useMemo } from 'react'
import type { History, SyncedCounter, SyncedList, SyncedMap, SyncedText } from '../room'
import { useRoom } from './context'
import { shallowEqual } from './equal'
import { Store, useSelected } from './store'

/** Typing is undone in runs, not letter by letter. */
const TYPING_MS = 500

/** Undo and redo for a component. */
export interface UseHistory {
  /** Takes the last step back. Returns whether there was one. */
  undo: () => boolean
  /** Does again what the last undo took back. Returns whether there was anything. */
  redo: () => boolean
  canUndo: boolean
  canRedo: boolean
  /** Forgets all steps. */
  clear: () => void
  /** Everything else: `mergeAll`, `captureTimeout` and so on. */
  history: History
}

/** A value's own history, for all components that ask for it, as long as the room. */
const histories = new WeakMap<object, History>()
const stores = new WeakMap<History, Store<{ canUndo: boolean, canRedo: boolean }>>()

function storeOf (history: History): Store<{ canUndo: boolean, canRedo: boolean }> {
  let store = stores.get(history)
  if (store === undefined) {
    stores.set(history, store = new Store(() => ({ canUndo: history.canUndo(), canRedo: history.canRedo() }), changed => history.subscribe(changed)))
  }
  return store
}

/**
 * Undo and redo of what this client did, and only that: in the whole room; or in one value, from the first time a component
 * asked for it; or of a History that you made. Renders again only when `canUndo` or `canRedo` change.
 *
 * @example
 * const { undo, redo, canUndo, canRedo } = useHistory()
 * return <button disabled={!canUndo} onClick={undo}>Undo</button>
 */
export function useHistory (of?: SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter | History): UseHistory {
  const room = useRoom()
  const history = of === undefined ? room.history : 'canUndo' in of ? of : historyOf(of)
  const can = useSelected(storeOf(history), both => both, shallowEqual)
  const actions = useMemo(() => ({ undo: () => history.undo(), redo: () => history.redo(), clear: () => { history.clear() }, history }), [history])
  return useMemo(() => ({ ...can, ...actions }), [can, actions])
}

function historyOf (item: SyncedList<any> | SyncedMap<any> | SyncedText | SyncedCounter): History {
  let history = histories.get(item)
  if (history === undefined) histories.set(item, history = item.newHistory('toDelta' in item ? TYPING_MS : 0))
  return history
}
