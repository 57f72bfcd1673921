/**
 * The offline copy in IndexedDB: the document's updates, the unacknowledged ones
 * among them, and the number up to which the room is in there.
 *
 * Everything of one moment goes into one transaction, so that the number never
 * promises more than is stored. Several tabs may use one database: what they
 * add is the same document's, and keys carry the tab's session.
 */

import { deleteDB, type IDBPDatabase, openDB } from 'idb'
import * as Y from 'yjs'

/** So many stored updates become one. */
const COMPACT_AT = 400

/** Stores of this page whose last batch is still being written, by the database's name: the next one waits for it. */
const closing = new Map<string, Promise<void>>()

/** What was found when the store was opened. */
export interface Stored {
  updates: Uint8Array[]
  outbox: Array<{ key: string, update: Uint8Array }>
  position: Position | null
}

/** Everything of the room through `last` is stored. */
export interface Position {
  epoch: string
  last: number
}

/** One database for each pair, whatever the two contain: two deployments never mix. */
export function databaseName (server: string, room: string): string {
  return `symphony:${JSON.stringify([server, room])}`
}

export class OfflineStore {
  readonly #db: IDBPDatabase
  readonly #failed: (error: unknown) => void
  readonly #session: string
  #counter = 0
  #updates: Uint8Array[] = []
  #added = new Map<string, Uint8Array>()
  #settled: string[] = []
  #position: Position | null = null
  #size: number
  #writing: Promise<void> | null = null
  #closed = false

  /** Opens the database of a room and reads it. */
  static async open (name: string, session: string, failed: (error: unknown) => void): Promise<{ store: OfflineStore, stored: Stored }> {
    await closing.get(name)
    const db = await openDB(name, 1, {
      upgrade (db) {
        db.createObjectStore('updates', { autoIncrement: true })
        db.createObjectStore('outbox')
        db.createObjectStore('meta')
      },
      blocking: () => { db.close() } // another tab deletes it
    })
    const tx = db.transaction(['updates', 'outbox', 'meta'])
    const [updates, outbox, keys, position] = await Promise.all([
      tx.objectStore('updates').getAll() as Promise<Uint8Array[]>,
      tx.objectStore('outbox').getAll() as Promise<Uint8Array[]>,
      tx.objectStore('outbox').getAllKeys() as Promise<string[]>,
      tx.objectStore('meta').get('position') as Promise<Position | undefined>
    ])
    return {
      store: new OfflineStore(db, session, updates.length, failed),
      stored: { updates, outbox: outbox.map((update, at) => ({ key: keys[at]!, update })), position: position ?? null }
    }
  }

  private constructor (db: IDBPDatabase, session: string, size: number, failed: (error: unknown) => void) {
    this.#db = db
    this.#session = session
    this.#size = size
    this.#failed = failed
  }

  /** Keeps an update of the room, or of another tab. */
  add (update: Uint8Array): void {
    this.#updates.push(update)
    this.#write()
  }

  /** Keeps a local update until `settle`; returns its key. */
  addLocal (update: Uint8Array): string {
    const key = `${this.#session}-${String(++this.#counter).padStart(9, '0')}`
    this.#updates.push(update)
    this.#added.set(key, update)
    this.#write()
    return key
  }

  /** These local updates need not be sent any more. */
  settle (keys: string[]): void {
    for (const key of keys) if (!this.#added.delete(key)) this.#settled.push(key)
    this.#write()
  }

  /** Everything through this number was added before. */
  moved (position: Position): void {
    this.#position = position
    this.#write()
  }

  /** Resolves when everything said so far is stored, or could not be. */
  async flush (): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  async close (): Promise<void> {
    const { name } = this.#db
    const closed = Promise.all([closing.get(name), this.flush()]).then(() => {
      this.#closed = true
      this.#db.close()
      if (closing.get(name) === closed) closing.delete(name)
    })
    closing.set(name, closed)
    await closed
  }

  /** Removes the room's data from this browser. */
  async delete (): Promise<void> {
    await this.close()
    await deleteDB(this.#db.name)
  }

  /** One transaction at a time; what comes meanwhile goes into the next. */
  #write (): void {
    if (this.#writing !== null || this.#closed) return
    this.#writing = this.#batch().catch(this.#failed).finally(() => {
      this.#writing = null
      if (this.#updates.length + this.#added.size + this.#settled.length > 0 || this.#position !== null) this.#write()
    })
  }

  async #batch (): Promise<void> {
    const updates = this.#updates.splice(0)
    const added = [...this.#added]
    this.#added.clear()
    const settled = this.#settled.splice(0)
    const position = this.#position
    this.#position = null
    const tx = this.#db.transaction(['updates', 'outbox', 'meta'], 'readwrite')
    const log = tx.objectStore('updates')
    const outbox = tx.objectStore('outbox')
    for (const update of updates) void log.add(update)
    for (const [key, update] of added) void outbox.put(update, key)
    for (const key of settled) void outbox.delete(key)
    if (position !== null) {
      const meta = tx.objectStore('meta')
      const before = await meta.get('position') as Position | undefined
      if (before?.epoch !== position.epoch || before.last < position.last) void meta.put(position, 'position')
    }
    this.#size += updates.length
    if (this.#size >= COMPACT_AT) {
      const [keys, all] = await Promise.all([log.getAllKeys(), log.getAll() as Promise<Uint8Array[]>])
      void log.add(Y.mergeUpdates(all))
      void log.delete(IDBKeyRange.bound(keys[0], keys[keys.length - 1]))
      this.#size = 1
    }
    await tx.done
  }
}
