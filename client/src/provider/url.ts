/** Server URLs: what a developer may write, and what is dialled. */

import { MAX_ROOM_ID } from '../protocol'

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(\/|\?|$)/

/**
 * The WebSocket URL for a server given as ws, wss, http or https URL or as a
 * bare host (`wss`, or `ws` on this machine), without slashes at the end of its
 * path. Throws a TypeError that says what is wrong.
 */
export function serverUrl (server: string): string {
  const text = server.trim()
  const given = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${LOCAL.test(text) ? 'ws' : 'wss'}://${text}`
  let url: URL
  try {
    url = new URL(given)
  } catch {
    throw new TypeError(`Symphony: "${server}" is not a URL; it should look like wss://example.com/stage`)
  }
  const scheme = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' }[url.protocol]
  if (scheme === undefined || url.host === '') {
    throw new TypeError(`Symphony: the server's URL begins with wss://, ws://, https:// or http://, not with "${url.protocol}"`)
  }
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, '')}${url.search}`
}

/** Throws a TypeError unless the server would take this room id. */
export function checkRoom (room: string): string {
  const size = new TextEncoder().encode(room).length
  if (typeof room !== 'string' || size === 0 || size > MAX_ROOM_ID) {
    throw new TypeError(`Symphony: a room id is a text of 1 to ${MAX_ROOM_ID} bytes`)
  }
  return room
}

/** The URL of a connection to a room. */
export function roomUrl (server: string, room: string, params: Record<string, string> = {}): string {
  const query = new URLSearchParams({ room, ...params }).toString().replaceAll('+', '%20')
  return `${server}${server.includes('?') ? '&' : '?'}${query}`
}
