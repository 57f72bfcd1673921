/**
 * What tabs of one browser do for each other: they exchange edits and presence,
 * and one of them keeps the connection to the server for all. Loaded on demand.
 */

import type { Message } from '../../protocol'
import type { SocketLike } from '../link'
import { Exchange, type ExchangeOptions } from './exchange'
import { type Events, Share } from './share'

export interface TabsOptions extends ExchangeOptions {
  /** The next hello compares what is here with what the server has. */
  compare: () => void
  /** The provider: where its events are. */
  events: Events
  /** What must be the same for two tabs to share a connection, beside the user; null: each has its own. */
  share: string | null
}

export class Tabs {
  readonly #exchange: Exchange
  readonly #share: Share | null

  constructor (options: TabsOptions) {
    const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined
    // Insecure pages have no locks.
    this.#share = options.share === null || locks === undefined ? null : new Share({ ...options, locks, scope: options.share })
    this.#exchange = new Exchange(options)
  }

  /** To the other tabs' documents and presence. */
  post (message: Message): void {
    this.#exchange.post(message)
  }

  /** Finds out which tab keeps the connection for the user with this token. */
  async elect (token: string): Promise<void> {
    await this.#share?.elect(token)
  }

  /** A socket through the tab that keeps the connection; null when that is this one. */
  socket (): SocketLike | null {
    return this.#share?.socket() ?? null
  }

  /** The page may be going for good: nobody may be left to say goodbye for the others. */
  leaving (): void {
    this.#share?.leaving()
  }

  close (): void {
    this.#share?.close()
    this.#exchange.close()
  }
}
