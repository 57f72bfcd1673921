/** Shared lists, maps, texts and counters, without Yjs in the way. */

export type { Change } from './changes'
export { SymphonyClient, type SymphonyClientOptions } from './client'
export { SyncedCounter } from './counter'
export { AttachedError, IndexError, InvalidValueError, LeftRoomError, ReadOnlyError, RemovedError, TypeClashError } from './errors'
export { History, type HistoryOptions } from './history'
export { SyncedList } from './list'
export { SyncedMap } from './map'
export type { Other } from './presence'
export { Room, type RoomEvents, type RoomOptions, type Sender } from './room'
export { Synced } from './synced'
export { SyncedText, type TextRun } from './text'
export type { Input, Json, JsonObject, Live, Plain } from './types'
