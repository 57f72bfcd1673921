/** How plain JSON, what may be put in, and what comes out alive belong together. */

import type { SyncedCounter } from './counter'
import type { SyncedList } from './list'
import type { SyncedMap } from './map'
import type { SyncedText } from './text'

/** What rooms hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** A JSON object. */
export type JsonObject = { [key: string]: Json }

/**
 * What `get`, iteration and callbacks hand out for a `T`: primitives as they
 * are, arrays as SyncedList, objects as SyncedMap.
 */
export type Live<T> =
  T extends SyncedText | SyncedCounter | SyncedList<any> | SyncedMap<any> ? T
    : T extends ReadonlyArray<infer E> ? SyncedList<E>
      : T extends object ? SyncedMap<T>
        : T

/** The plain JSON of a `T`, as `toJSON` gives it. */
export type Plain<T> =
  T extends SyncedText ? string
    : T extends SyncedCounter ? number
      : T extends SyncedList<infer E> ? Array<Plain<E>>
        : T extends SyncedMap<infer S> ? { [K in keyof S]: Plain<S[K]> }
          : T extends ReadonlyArray<infer E> ? Array<Plain<E>>
            : T extends object ? { [K in keyof T]: Plain<T[K]> }
              : T

/** What may be put where a `T` is kept: plain JSON, or a nested value of the room that is in no place yet. */
export type Input<T> =
  T extends SyncedText | SyncedCounter | SyncedList<any> | SyncedMap<any> ? T
    : T extends ReadonlyArray<infer E> ? ReadonlyArray<Input<E>> | SyncedList<E>
      : T extends object ? { [K in keyof T]: Input<T[K]> } | SyncedMap<T>
        : T
