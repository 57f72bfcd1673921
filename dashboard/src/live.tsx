import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { Snapshot } from './api'

// The live stream: one for the page, shared by its views.

/** Silence for so long means that the stream is dead, whatever the browser says. */
const silence = 6000
const retry = 1500

export type Link = 'connecting' | 'live' | 'lost'

interface Live {
  link: Link
  snapshot: Snapshot | undefined
  /** The time by the newest snapshot, so that all of the page agrees. */
  now: number
}

const Context = createContext<Live>({ link: 'connecting', snapshot: undefined, now: Date.now() })

export const useLive = (): Live => useContext(Context)

export function LiveProvider({ children }: { children: ReactNode }) {
  const [live, setLive] = useState<Live>(() => ({ link: 'connecting', snapshot: undefined, now: Date.now() }))
  useEffect(() => {
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let ended = false
    const lost = () => {
      setLive(before => (before.link === 'lost' ? before : { ...before, link: 'lost' }))
      source?.close()
      if (!ended) later(open, retry)
    }
    const later = (what: () => void, ms: number) => {
      clearTimeout(timer)
      timer = setTimeout(what, ms)
    }
    const open = () => {
      source?.close()
      source = new EventSource('/api/live')
      later(lost, silence)
      source.addEventListener('now', event => {
        const snapshot = JSON.parse(event.data as string) as Snapshot
        setLive({ link: 'live', snapshot, now: Date.parse(snapshot.at) })
        later(lost, silence)
      })
      source.onerror = lost
    }
    // A page in the background needs nothing, and the browser slows its timers.
    const seen = () => {
      if (document.visibilityState === 'visible') open()
      else {
        clearTimeout(timer)
        source?.close()
      }
    }
    seen()
    document.addEventListener('visibilitychange', seen)
    return () => {
      ended = true
      document.removeEventListener('visibilitychange', seen)
      clearTimeout(timer)
      source?.close()
    }
  }, [])
  return <Context value={live}>{children}</Context>
}

/** A number that grows every so many seconds while the stream is alive. */
export function useTick(seconds: number): number {
  const { now, link } = useLive()
  return link === 'live' ? Math.floor(now / 1000 / seconds) : -1
}
