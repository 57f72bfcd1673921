/** HTTP up- and downloads of what does not fit a message (docs/PROTOCOL.md, "Large updates"). */

import type { MessageOf } from '../protocol'

/** An exchange is tried so often on one connection. */
const ATTEMPTS = 3
/** A server cannot make the page fetch more: well above the largest document a checkpoint stores. */
const MAX_DOWNLOAD = 2 ** 30

export type Fetch = typeof globalThis.fetch

export async function sha256 (bytes: Uint8Array): Promise<Uint8Array> {
  // Browsers offer it to pages from https or this machine only.
  if (globalThis.crypto?.subtle === undefined) return (await import('lib0/hash/sha256')).digest(bytes)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/** Puts the bytes where an offer says, with exactly its headers. Throws when that failed. */
export async function put (fetch: Fetch, offer: MessageOf<'uploadOffer'>, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  await attempt(signal, async () => {
    const response = await fetch(offer.url, {
      method: 'PUT', headers: offer.headers.map(([name, value]): [string, string] => [name, value]),
      body: bytes as Uint8Array<ArrayBuffer>, signal, credentials: 'omit'
    })
    check(response)
  })
}

/** Fetches what a broadcast or snapshot by URL announces. Throws unless size and hash are right. */
export async function get (fetch: Fetch, from: { url: string, size: number, sha256: Uint8Array }, signal: AbortSignal): Promise<Uint8Array> {
  if (from.size > MAX_DOWNLOAD) throw new Error('download: too large')
  return await attempt(signal, async () => {
    const response = await fetch(from.url, { signal, credentials: 'omit' })
    check(response)
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length !== from.size || !equal(await sha256(bytes), from.sha256)) throw new Error('download: wrong bytes')
    return bytes
  })
}

async function attempt<T> (signal: AbortSignal, exchange: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await exchange()
    } catch (error) {
      if (left <= 1 || signal.aborted) throw error
    }
  }
}

function check (response: Response): void {
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
}

function equal (a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
