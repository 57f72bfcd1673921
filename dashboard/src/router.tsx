import { createContext, type AnchorHTMLAttributes, type MouseEvent, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { address, type Params } from './api'

// The address carries everything that a view shows, so that a link to it shows
// the same: the view in the path, the rest in the query.

export interface Place {
  path: string
  query: URLSearchParams
}

interface Router extends Place {
  go: (url: string, replace?: boolean) => void
  /** Changes part of the query; what is undefined, empty or false goes. */
  set: (params: Params, replace?: boolean) => void
}

const Context = createContext<Router | undefined>(undefined)

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) })

export function RouterProvider({ children }: { children: ReactNode }) {
  const [place, setPlace] = useState(here)
  useEffect(() => {
    const moved = () => setPlace(here())
    addEventListener('popstate', moved)
    return () => removeEventListener('popstate', moved)
  }, [])
  const go = useCallback((url: string, replace = false) => {
    if (replace) history.replaceState(null, '', url)
    else history.pushState(null, '', url)
    setPlace(here())
  }, [])
  const set = useCallback(
    (params: Params, replace = true) => {
      const query = Object.fromEntries(new URLSearchParams(location.search))
      go(address(location.pathname, { ...query, ...params }), replace)
    },
    [go]
  )
  const router = useMemo(() => ({ ...place, go, set }), [place, go, set])
  return <Context value={router}>{children}</Context>
}

export function useRouter(): Router {
  const router = useContext(Context)
  if (router === undefined) throw new Error('useRouter outside of RouterProvider')
  return router
}

/** A link inside of the page; with a modifier key it is the browser's. */
export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const { go } = useRouter()
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    rest.onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(href)
    scrollTo(0, 0)
  }
  return <a {...rest} href={href} onClick={follow} />
}
