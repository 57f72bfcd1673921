// The connection: one document, one provider, and what the page says of them.

import { ErrorCode, SymphonyProvider, type Problem } from '@symphony-rt/client'
import * as Y from 'yjs'
import type { Awareness } from 'y-protocols/awareness'
import type { Address } from './address'

/**
 * `connecting` the first time, or loading; `live` and everything stored; `saving`:
 * the server has not yet acknowledged all; `offline` and trying again; `reading`: this
 * user may look, not write; `refused`: the server will not have this user.
 */
export type Status = 'connecting' | 'live' | 'saving' | 'offline' | 'reading' | 'refused'

export class Session {
  readonly doc = new Y.Doc()
  readonly provider: SymphonyProvider
  /** Whether there is something to show: the room's content, or this browser's copy of it. */
  loaded = false
  private readonly listeners = new Set<(status: Status) => void>()
  /** The last attempt to connect failed. */
  private failed = false
  private refused = false
  /** Whether this browser keeps what the server has not acknowledged. */
  private keeps = true

  constructor (address: Address, onProblem: (problem: Problem) => void) {
    this.provider = new SymphonyProvider(address.server, address.room, this.doc, {
      ...(address.token === null ? {} : { token: address.token }),
      offline: true
    })
    this.provider.on('status', ({ status }) => {
      if (status === 'disconnected') this.failed = true
      this.tell()
    })
    this.provider.on('connection-error', () => {
      this.failed = true
      this.tell()
    })
    this.provider.on('sync', synced => {
      if (synced) {
        this.loaded = true
        this.failed = false
      }
      this.tell()
    })
    this.provider.on('loaded', () => {
      if (this.doc.store.clients.size > 0) this.loaded = true
      this.tell()
    })
    this.provider.on('sync-status', () => this.tell())
    this.provider.on('lost-connection', what => {
      this.refused = what === 'failed'
      this.tell()
    })
    this.provider.on('error', problem => {
      if (problem.code === 0 && problem.update === undefined) this.keeps = false // no IndexedDB, or no room in it
      if (problem.code === ErrorCode.readOnly) this.tell()
      onProblem(problem)
    })
  }

  get awareness (): Awareness { return this.provider.awareness }

  get status (): Status {
    if (this.refused) return 'refused'
    if (this.provider.synced) return this.provider.isReadOnly ? 'reading' : this.unsaved ? 'saving' : 'live'
    return this.failed && !this.provider.wsconnected ? 'offline' : 'connecting'
  }

  /** Calls back now and whenever the status may have changed. */
  onStatus (listener: (status: Status) => void): void {
    this.listeners.add(listener)
    listener(this.status)
  }

  /** Whether something is drawn that the server has not acknowledged. */
  get unsaved (): boolean { return this.provider.hasUnacknowledgedChanges }

  /** Whether closing the page now could lose something. */
  get atRisk (): boolean { return this.unsaved && !this.keeps }

  private tell (): void {
    const status = this.status
    for (const listener of this.listeners) listener(status)
  }
}
