/** What the page's life means for a connection; nothing of it exists outside browsers. */

export interface PageEvents {
  /** Back: the network, or the page from behind another tab or a sleep. */
  wake: () => void
  /** The page may never run again. */
  hide: () => void
  /** It runs again after all (back/forward cache). */
  show: () => void
}

export class Page {
  readonly #abort = new AbortController()
  #guard: AbortController | null = null

  constructor (events: PageEvents) {
    const { signal } = this.#abort
    const { window, document } = globalThis as { window?: Window, document?: Document }
    if (window?.addEventListener === undefined) return
    window.addEventListener('online', events.wake, { signal })
    window.addEventListener('pagehide', events.hide, { signal })
    window.addEventListener('pageshow', event => { if (event.persisted) events.show() }, { signal })
    document?.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') events.wake() }, { signal })
    document?.addEventListener('resume', events.wake, { signal })
  }

  /** Has the browser ask before the page is left. Pages without the guard can go to the back/forward cache. */
  guard (on: boolean): void {
    if (on === (this.#guard !== null)) return
    if (!on) {
      this.#guard?.abort()
      this.#guard = null
      return
    }
    this.#guard = new AbortController()
    globalThis.window?.addEventListener('beforeunload', event => {
      event.preventDefault()
      event.returnValue = ''
    }, { signal: this.#guard.signal })
  }

  destroy (): void {
    this.#abort.abort()
    this.guard(false)
  }
}
