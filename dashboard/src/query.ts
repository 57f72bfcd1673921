import { useCallback, useEffect, useRef, useState } from 'react'
import { get, Problem } from './api'

export interface Answer<T> {
  data: T | undefined
  problem: Problem | undefined
  loading: boolean
  again: () => void
}

/**
 * Asks for url now and whenever it, or tick, changes. While a newer answer is on
 * its way the older one stays, so that nothing flickers; it goes when the url
 * asks for something else, unless keep says that it is worth showing meanwhile.
 */
export function useAnswer<T>(url: string | undefined, tick: unknown = 0, keep = false): Answer<T> {
  const [state, setState] = useState<{ url: string | undefined; data: T | undefined; problem: Problem | undefined; loading: boolean }>({
    url,
    data: undefined,
    problem: undefined,
    loading: true
  })
  const [asked, setAsked] = useState(0)
  const busy = useRef<{ url: string; controller: AbortController } | undefined>(undefined)
  useEffect(() => {
    if (url === undefined) return
    // The same question is not asked again while it is being answered.
    if (busy.current?.url === url) return
    busy.current?.controller.abort()
    const mine = { url, controller: new AbortController() }
    busy.current = mine
    setState(before => (before.url === url || keep ? { ...before, url, loading: true } : { url, data: undefined, problem: undefined, loading: true }))
    get<T>(url, mine.controller.signal)
      .then(data => {
        if (busy.current === mine) setState({ url, data, problem: undefined, loading: false })
      })
      .catch((error: unknown) => {
        if (busy.current !== mine || mine.controller.signal.aborted) return
        const problem = error instanceof Problem ? error : new Problem(0, String(error))
        setState(before => ({ ...before, problem, loading: false }))
      })
      .finally(() => {
        if (busy.current === mine) busy.current = undefined
      })
  }, [url, tick, asked, keep])
  useEffect(
    () => () => {
      busy.current?.controller.abort()
      busy.current = undefined
    },
    []
  )
  const again = useCallback(() => setAsked(n => n + 1), [])
  return { data: state.data, problem: state.problem, loading: state.loading, again }
}
