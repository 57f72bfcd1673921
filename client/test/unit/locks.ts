// The Web Locks API for tests in Node, after https://w3c.github.io/web-locks/ (exclusive locks only).

interface Waiting {
  grant: (lock: Lock) => void
}

/** One browser's locks. */
export class FakeLocks {
  readonly #held = new Map<string, { lost: (error: unknown) => void }>()
  readonly #queues = new Map<string, Waiting[]>()

  /** Names that are held. */
  get held (): string[] {
    return [...this.#held.keys()]
  }

  async request (name: string, ...rest: [LockOptions, (lock: Lock | null) => unknown] | [(lock: Lock | null) => unknown]): Promise<unknown> {
    const [options, callback] = rest.length === 2 ? rest : [{}, rest[0]] as const
    if (options.signal?.aborted === true) throw new DOMException('aborted', 'AbortError')
    if (options.steal === true) {
      this.#held.get(name)?.lost(new DOMException('stolen', 'AbortError'))
      this.#held.delete(name)
      return await this.#run(name, callback)
    }
    if (this.#held.has(name)) {
      if (options.ifAvailable === true) return await callback(null)
      await new Promise<void>((resolve, reject) => {
        const queue = this.#queues.get(name) ?? []
        this.#queues.set(name, queue)
        const waiting: Waiting = { grant: () => { resolve() } }
        queue.push(waiting)
        options.signal?.addEventListener('abort', () => {
          const at = queue.indexOf(waiting)
          if (at < 0) return
          queue.splice(at, 1)
          reject(new DOMException('aborted', 'AbortError'))
        })
      })
    }
    return await this.#run(name, callback)
  }

  async #run (name: string, callback: (lock: Lock | null) => unknown): Promise<unknown> {
    const holder = { lost: (_: unknown) => {} }
    const lost = new Promise<never>((_resolve, reject) => { holder.lost = reject })
    lost.catch(() => {})
    this.#held.set(name, holder)
    try {
      return await Promise.race([Promise.resolve(callback({ name, mode: 'exclusive' })), lost])
    } finally {
      if (this.#held.get(name) === holder) {
        this.#held.delete(name)
        const next = this.#queues.get(name)?.shift()
        if (next !== undefined) {
          // Held by the next one at once, so that nobody slips in between.
          this.#held.set(name, { lost: () => {} })
          next.grant({ name, mode: 'exclusive' })
        }
      }
    }
  }
}
