import { useCallback, useSyncExternalStore } from 'react'

const read = (): string | null => decodeURIComponent(location.hash.slice(1)) || null

function subscribe (changed: () => void): () => void {
  addEventListener('hashchange', changed)
  return () => { removeEventListener('hashchange', changed) }
}

/** The id of the open note is the address's #hash: links and the browser's back button work. */
export function useOpenNote (): [string | null, (id: string | null) => void] {
  const open = useSyncExternalStore(subscribe, read)
  const setOpen = useCallback((id: string | null) => { location.hash = id ?? '' }, [])
  return [open, setOpen]
}
