// What the page's URL says: the room, and where the server is.

import { roomName } from './words'

/** The server takes room ids of up to so many UTF-8 bytes. */
export const MAX_ROOM_BYTES = 256

/** The stage that `make local` and a deployment serve. */
const STAGE = 'dev'

export interface Address {
  readonly room: string
  /** The WebSocket URL without the room, for example `wss://host/dev`. */
  readonly server: string
  readonly token: string | null
  /** Whether the URL named no room, so that a new one was made. */
  readonly fresh: boolean
  /** The link that brings others to this room; never with a token. */
  readonly link: string
}

/** Why an address cannot be used, in words for its reader. */
export class AddressError extends Error {}

/**
 * @param page the page's URL
 * @param configured the server that the page was built for, if any
 * @param newRoom makes a name when the URL has none
 * @throws AddressError
 */
export function readAddress (page: URL, configured?: string, newRoom: () => string = roomName): Address {
  const named = page.searchParams.get('room')
  const fresh = named === null || named === ''
  const room = fresh ? newRoom() : named
  if (new TextEncoder().encode(room).length > MAX_ROOM_BYTES) {
    throw new AddressError(`The board's name is too long: ${MAX_ROOM_BYTES} bytes is the most.`)
  }
  const given = page.searchParams.get('server')
  const link = new URL(page.pathname, page)
  link.searchParams.set('room', room)
  if (given !== null) link.searchParams.set('server', given)
  return { room, fresh, server: readServer(page, given ?? configured), token: page.searchParams.get('token'), link: link.href }
}

function readServer (page: URL, given: string | undefined): string {
  if (given === undefined || given === '') {
    return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/${STAGE}`
  }
  const url = URL.canParse(given) ? new URL(given) : null
  if (url === null || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new AddressError('The server in this link is not a WebSocket address (wss://…).')
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}
