/** A function that runs at most once per interval, the last call always. */
export interface Throttled {
  (): void
  /** Runs now if a call is waiting. */
  flush (): void
  /** Forgets a waiting call. */
  cancel (): void
}

export function throttle (run: () => void, ms: number, now: () => number = () => performance.now()): Throttled {
  let last = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined
  const fire = () => {
    clearTimeout(timer)
    timer = undefined
    last = now()
    run()
  }
  const call = () => {
    if (timer !== undefined) return
    const wait = last + ms - now()
    if (wait <= 0) fire()
    else timer = setTimeout(fire, wait)
  }
  return Object.assign(call, {
    flush: () => { if (timer !== undefined) fire() },
    cancel: () => { clearTimeout(timer); timer = undefined }
  })
}
