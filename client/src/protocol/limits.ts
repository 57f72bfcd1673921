/**
 * Limits and intervals of the wire. The table in docs/PROTOCOL.md ("Limits")
 * gives the reason for each; sizes are raw bytes, times milliseconds.
 */

/** The version a hello carries. */
export const VERSION = 1
/** One client message; base64 makes 32,000 of it, one frame of the gateway. */
export const MAX_CLIENT_MESSAGE = 24_000
/** What a submit has beside its update. */
export const MAX_HEADER = 32
/** One post of the gateway, base64 and all: nothing longer comes from a server. */
export const MAX_POST = 131_072
/** Headers of an upload offer; S3 needs three. */
export const MAX_UPLOAD_HEADERS = 32
/** Tabs of one connection whose presence ends with it. */
export const MAX_TABS = 32
/** An update that may be uploaded. */
export const MAX_UPDATE = 50_000_000
/** A room id, in UTF-8. */
export const MAX_ROOM_ID = 256

/** The client's intervals, in milliseconds. */
export interface Times {
  /** Between probes that keep the connection under the gateway's idle limit of 10 minutes. */
  keepAlive: number
  /** From the last update to the one probe that finds a lost broadcast. */
  probeQuiet: number
  /** How long an answer may take; a function has 29 s. */
  ackTimeout: number
  /** How late a broadcast may be before it counts as missing. */
  gapPatience: number
  /** The gateway's limit for one connection. */
  lifetime: number
  /** The next connection is opened this long before, at the latest … */
  renewBefore: number
  /** … and up to this much earlier, at random. */
  renewJitter: number
  /** How long a replaced connection stays for the answers under way. */
  retire: number
  /** The first reconnect comes at random up to this … */
  backoffBase: number
  /** … and later ones up to this. A connection that lasted so long starts over. */
  backoffMax: number
  /** Local edits of this long become one message. */
  merge: number
  /** Between presence messages, in a small room. */
  presence: number
  /** Between presence messages, at most. */
  presenceMax: number
  /** Silence after which a peer that repeats its presence (a plain client) is gone. */
  presenceTimeout: number
  /** Silence after which any peer is gone, should nobody have said so: over the gateway's idle limit. */
  presenceMaxAge: number
  /** How long a connection may be away before `lost-connection` says so. */
  lost: number
  /** A token is replaced this long before it expires. */
  tokenMargin: number
  /** An HTTP upload or download: 50 MB over a slow line take minutes. */
  transfer: number
}

export const DEFAULT_TIMES: Readonly<Times> = {
  keepAlive: 300_000,
  probeQuiet: 10_000,
  ackTimeout: 30_000,
  gapPatience: 250,
  lifetime: 7_200_000,
  renewBefore: 300_000,
  renewJitter: 600_000,
  retire: 5_000,
  backoffBase: 500,
  backoffMax: 30_000,
  merge: 50,
  presence: 100,
  presenceMax: 10_000,
  presenceTimeout: 30_000,
  presenceMaxAge: 660_000,
  lost: 5_000,
  tokenMargin: 60_000,
  transfer: 300_000
}

/** What the presence of one room may cost, in posts a second. */
export const PRESENCE_POSTS = 2_000
