/** What tabs that share a connection say to each other; all of it over one BroadcastChannel. */

/** One word from tab to tab. `tab` and `socket` are random ids; a `socket` belongs to a follower. */
export type Word =
  /** A follower wants to use the leader's connection. `visible`: somebody is looking at it. */
  | { what: 'open', tab: string, socket: string, visible: boolean }
  /** The leader is there, and will say `opened` once it is connected. */
  | { what: 'wait', socket: string }
  | { what: 'opened', socket: string }
  /** A follower's message for the server. */
  | { what: 'send', socket: string, bytes: Uint8Array<ArrayBuffer> }
  /** The server's message for one follower, or for all tabs. */
  | { what: 'message', socket: string | null, bytes: Uint8Array<ArrayBuffer> }
  /** Is the leader awake? It is. */
  | { what: 'ping', socket: string }
  | { what: 'pong', socket: string }
  /** The follower has closed its socket. */
  | { what: 'close', socket: string }
  /** A tab leaves, and nothing of it is under way. */
  | { what: 'bye', tab: string }
  /** The leader's connection is gone. */
  | { what: 'closed' }
  /** This tab leads from now on. */
  | { what: 'leader' }

/** Message ids of followers are moved by so much each: the leader's own stay below. */
export const SPAN = 2 ** 32

export function randomId (): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), part => part.toString(36)).join('-')
}
