// What a room of notes holds, and the way into one.

import { SymphonyClient, type SyncedText } from '@symphony-rt/client'
import type { User } from './me'

/** A note. Its text is one that several people can type into at once. */
export interface Note {
  title: string
  created: number
  text: SyncedText
}

/** Notes by id. A type, not an interface: it is a shape for `useMap`. */
export type Notes = Record<string, Note>

/** What the others see of you: who you are, and which note you have open. */
export interface Presence {
  user: User
  note: string | null
}

const query = new URLSearchParams(location.search)

/** `?room=` in the page's address. */
export const roomId = query.get('room') ?? 'notes'

// The server: `?server=` in the address, or the one this page was built for, or the one that it came from.
const server = query.get('server') ?? import.meta.env.VITE_SYMPHONY_URL ?? new URL('/dev', location.href).href
const token = query.get('token')

/** Everything is kept in this browser too, so that it is there at once, and without a network. */
export const client = new SymphonyClient(server, { offline: true, ...(token !== null && { token }) })
