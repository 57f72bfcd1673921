import { useCallback, useEffect, useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'

const key = 'symphony-theme'

function chosen(): Theme {
  const theme = document.documentElement.dataset['theme']
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

/** Those who draw with colours of their own (the charts) hear of a change. */
const changed = new EventTarget()

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(chosen)
  const choose = useCallback((next: Theme) => {
    if (next === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = next
    try {
      if (next === 'system') localStorage.removeItem(key)
      else localStorage.setItem(key, next)
    } catch {
      // Not allowed to remember: until the page is closed, then.
    }
    setTheme(next)
    changed.dispatchEvent(new Event('change'))
  }, [])
  return [theme, choose]
}

export function useThemeChange(redraw: () => void): void {
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', redraw)
    changed.addEventListener('change', redraw)
    return () => {
      system.removeEventListener('change', redraw)
      changed.removeEventListener('change', redraw)
    }
  }, [redraw])
}
