/** Callbacks by what they are about. */

export type Callback = (...args: any[]) => void

export class Topics {
  readonly #callbacks = new Map<unknown, Set<Callback>>()

  /** Returns what ends it. The same callback counts once. */
  add (topic: unknown, callback: Callback): () => void {
    let callbacks = this.#callbacks.get(topic)
    if (callbacks === undefined) this.#callbacks.set(topic, callbacks = new Set())
    callbacks.add(callback)
    return () => { this.remove(topic, callback) }
  }

  /** Without a callback, all of the topic. */
  remove (topic: unknown, callback?: Callback): void {
    const callbacks = this.#callbacks.get(topic)
    if (callback !== undefined) callbacks?.delete(callback)
    if (callback === undefined || callbacks?.size === 0) this.#callbacks.delete(topic)
  }

  clear (): void {
    this.#callbacks.clear()
  }

  get size (): number {
    return this.#callbacks.size
  }

  has (topic: unknown): boolean {
    return this.#callbacks.has(topic)
  }

  topics (): unknown[] {
    return [...this.#callbacks.keys()]
  }

  /** Each callback gets a value of its own. What is not JSON, from another kind of client, is nobody's event. */
  emitJson (topic: unknown, json: string, ...args: unknown[]): void {
    for (const callback of [...this.#callbacks.get(topic) ?? []]) {
      let value: unknown
      try {
        value = JSON.parse(json)
      } catch {
        return
      }
      call(callback, value, ...args)
    }
  }

  /** An app's callback that throws keeps nobody else from hearing. */
  emit (topic: unknown, ...args: unknown[]): void {
    for (const callback of [...this.#callbacks.get(topic) ?? []]) call(callback, ...args)
  }
}

function call (callback: Callback, ...args: unknown[]): void {
  try {
    callback(...args)
  } catch (error) {
    report(error)
  }
}

/** As the browser reports what an event listener throws. */
function report (error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  else queueMicrotask(() => { throw error })
}
