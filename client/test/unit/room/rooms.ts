// Rooms without a network, wired together by hand.

import * as Y from 'yjs'
import { type JsonObject, type Room, type RoomOptions, SymphonyClient } from '../../../src'

/** A room that never connects. */
export function offline<P extends object = JsonObject> (options: RoomOptions<P> = {}): Room<P> {
  return new SymphonyClient('ws://server.test/dev', { connect: false, disableBc: true }).enter<P>('room', options)
}

/** What went from one room to the others, and is not there yet. */
export interface Wire {
  rooms: Room[]
  /** Delivers one waiting update to one room; `pick` chooses among those that wait. False: nothing waits. */
  deliver: (pick?: (waiting: number) => number) => boolean
  /** Delivers everything. */
  settle: () => void
  waiting: () => number
}

/** Rooms whose updates wait until the test delivers them, in any order. */
export function wired (count: number): Wire {
  const rooms = Array.from({ length: count }, () => offline())
  const queue: Array<{ to: Room, update: Uint8Array }> = []
  for (const room of rooms) {
    room.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === queue) return
      for (const to of rooms) if (to !== room) queue.push({ to, update })
    })
  }
  const deliver = (pick = (_: number) => 0): boolean => {
    const [next] = queue.splice(pick(queue.length), 1)
    if (next === undefined) return false
    Y.applyUpdate(next.to.doc, next.update, queue)
    return true
  }
  return { rooms, deliver, waiting: () => queue.length, settle: () => { while (deliver()); } }
}
