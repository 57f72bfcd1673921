/** Hook of one-off events. */

import { useCallback, useEffect, useRef } from 'react'
import type { Json, Sender } from '../room'
import { useRoom } from './context'

/**
 * A function that has the others hear of something once, and, if given, a callback for what others broadcast. Nothing is
 * stored. Never renders again by itself; the function stays the same, and the callback may be a new one each time.
 *
 * @example
 * const broadcast = useBroadcast<{ type: 'confetti' }>(event => { if (event.type === 'confetti') celebrate() })
 * return <button onClick={() => broadcast({ type: 'confetti' })}>Hooray</button>
 */
export function useBroadcast<E = Json> (hear?: (event: E, from: Sender) => void): (event: E) => boolean {
  const room = useRoom<any, E>()
  const latest = useRef(hear)
  useEffect(() => { latest.current = hear })
  const listens = hear !== undefined
  useEffect(() => listens ? room.subscribe('broadcast', (event, from) => latest.current?.(event, from)) : undefined, [room, listens])
  return useCallback((event: E) => room.broadcast(event), [room])
}
