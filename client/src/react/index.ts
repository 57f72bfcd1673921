'use client'
/**
 * React hooks for rooms: values, presence, history and status, each rendering again only when what it shows has changed.
 * React 18 and 19; safe to import on a server, where SymphonyRoom shows its fallback.
 *
 * @module react
 */

export { useBroadcast } from './broadcast'
export { SymphonyRoom, type SymphonyRoomProps, useRoom } from './context'
export { type IsEqual, shallowEqual } from './equal'
export { useHistory, type UseHistory } from './history'
export { useCounter, useList, useMap, useText } from './items'
export { useMyPresence, useOthers } from './presence'
export { type RoomStatus, useStatus } from './status'
