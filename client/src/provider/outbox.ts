/** Local updates until the server has acknowledged them. */

import { MAX_CLIENT_MESSAGE, MAX_HEADER, type Message } from '../protocol'
import { mergeUpdates } from './updates'

/** An update of more bytes goes by upload. */
export const MAX_SUBMIT = MAX_CLIENT_MESSAGE - MAX_HEADER

/** Beyond so many messages at once (a long offline spell) one upload is cheaper. */
const MAX_SUBMITS = 8

/** After so many parts the waiting ones become one, so that a long spell does not pile up. */
const MAX_PARTS = 256

/** A part of a submit: one update of the document, and where it is stored. */
export interface Part {
  update: Uint8Array
  /** Key in the offline store, '' when there is none. */
  keys: string[]
}

/** A submit or upload that is not acknowledged. */
export interface Entry {
  id: number
  update: Uint8Array
  parts: Part[]
  /** How often it was sent. */
  tries: number
  /** When to send it (again). */
  resendAt: number
  /** It goes by upload; then the hash, once known, and the server's name for it, once the bytes are there. */
  large: boolean
  sha256?: Uint8Array
  upload?: string
  /** A hash is being computed or a PUT is under way. */
  busy: boolean
}

export class Outbox {
  /** In the order of their ids. */
  readonly entries: Entry[] = []
  /** Not sent yet: waiting for more to merge with, or for a connection. */
  waiting: Part[] = []
  /** False once the server said that it takes no uploads. */
  uploads = true
  #lastId = 0

  /** Updates without an acknowledgement, sent or not. */
  get size (): number {
    return this.entries.length + this.waiting.length
  }

  add (update: Uint8Array, keys: string[]): void {
    this.waiting.push({ update, keys })
    if (this.waiting.length >= MAX_PARTS && this.entries.length === 0) this.waiting = groups(this.waiting, MAX_SUBMIT).map(whole)
  }

  /** Turns what waits into as few submits as the limits allow. */
  pack (): Entry[] {
    if (this.waiting.length === 0) return []
    let packed = groups(this.waiting, MAX_SUBMIT)
    if (packed.length > MAX_SUBMITS && this.uploads) packed = [this.waiting]
    this.waiting = []
    const entries = packed.map(parts => this.#entry(parts))
    this.entries.push(...entries)
    return entries
  }

  #entry (parts: Part[]): Entry {
    const update = mergeUpdates(parts.map(part => part.update))
    return { id: ++this.#lastId, update, parts, tries: 0, resendAt: 0, large: update.length > MAX_SUBMIT, busy: false }
  }

  /** Puts an upload that the server does not take back, to go in pieces. False: it is one piece. */
  split (entry: Entry): boolean {
    this.uploads = false
    if (entry.parts.length < 2) return false
    this.remove(entry.id)
    this.waiting.unshift(...entry.parts)
    return true
  }

  find (id: number): Entry | undefined {
    return this.entries.find(entry => entry.id === id)
  }

  remove (id: number): Entry | undefined {
    const at = this.entries.findIndex(entry => entry.id === id)
    return at < 0 ? undefined : this.entries.splice(at, 1)[0]
  }

  /** Takes everything out. */
  clear (): Part[] {
    const parts = [...this.entries.splice(0).flatMap(entry => entry.parts), ...this.waiting]
    this.waiting = []
    return parts
  }

  /** The updates themselves. */
  updates (): Uint8Array[] {
    return [...this.entries, ...this.waiting].map(({ update }) => update)
  }

  /** The earliest resendAt, Infinity when nothing was sent. */
  next (): number {
    return Math.min(Infinity, ...this.entries.map(entry => entry.resendAt))
  }
}

/** What to send for an entry now; null while its bytes are hashed or under way. */
export function messageOf (entry: Entry): Message | null {
  if (!entry.large) return { type: 'submit', id: entry.id, update: entry.update }
  if (entry.busy || entry.sha256 === undefined) return null
  if (entry.upload !== undefined) return { type: 'uploadCommit', id: entry.id, upload: entry.upload }
  return { type: 'uploadRequest', id: entry.id, size: entry.update.length, sha256: entry.sha256 }
}

/** Groups neighbours so that each group is under `limit` bytes, unless it is a single part. */
function groups (parts: Part[], limit: number): Part[][] {
  const out: Part[][] = []
  let size = Infinity
  for (const part of parts) {
    size += part.update.length
    if (size > limit) {
      out.push([part])
      size = part.update.length
    } else {
      out[out.length - 1]!.push(part)
    }
  }
  return out
}

function whole (parts: Part[]): Part {
  return { update: mergeUpdates(parts.map(part => part.update)), keys: parts.flatMap(part => part.keys) }
}
