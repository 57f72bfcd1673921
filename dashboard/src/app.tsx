import { useEffect, useState } from 'react'
import type { Info } from './api'
import { LiveProvider, useLive } from './live'
import { useAnswer } from './query'
import { Link, RouterProvider, useRouter } from './router'
import { type Theme, useTheme } from './theme'
import { Choice, Empty, Heading, Icon, InfoContext, SayProvider, Trouble } from './ui'
import { Functions } from './views/functions'
import { Logs } from './views/logs'
import { Overview } from './views/overview'
import { Room } from './views/room'
import { Rooms } from './views/rooms'

const views = [
  { path: '/', name: 'Overview' },
  { path: '/rooms', name: 'Rooms' },
  { path: '/functions', name: 'Functions' },
  { path: '/logs', name: 'Logs' }
] as const

export function App() {
  return (
    <RouterProvider>
      <SayProvider>
        <LiveProvider>
          <Shell />
        </LiveProvider>
      </SayProvider>
    </RouterProvider>
  )
}

function Shell() {
  const { link } = useLive()
  // Asked again when the stream comes back: it may be another process by then.
  const info = useAnswer<Info>('/api/info', link)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Top info={info.data} />
      <Lost />
      <main id="main" tabIndex={-1}>
        {info.data !== undefined ? (
          <InfoContext value={info.data}>
            <View />
          </InfoContext>
        ) : (
          info.problem !== undefined && <Trouble problem={info.problem} again={info.again} />
        )}
      </main>
      {info.data !== undefined && <Foot info={info.data} />}
    </>
  )
}

function View() {
  const { path, query } = useRouter()
  switch (path) {
    case '/':
      return <Overview />
    case '/rooms':
      return <Rooms />
    case '/room':
      return <Room key={query.get('id')} id={query.get('id') ?? ''} />
    case '/functions':
      return <Functions />
    case '/logs':
      return <Logs />
    default:
      return (
        <>
          <Heading title="Nothing here" />
          <Empty title="There is no such view">
            <p>
              <Link href="/">Go to the overview</Link>
            </p>
          </Empty>
        </>
      )
  }
}

const themes = [
  { value: 'system', text: <Icon name="screen" />, name: 'Theme of the system' },
  { value: 'light', text: <Icon name="sun" />, name: 'Light theme' },
  { value: 'dark', text: <Icon name="moon" />, name: 'Dark theme' }
] as const satisfies readonly { value: Theme; text: unknown; name: string }[]

function Top({ info }: { info: Info | undefined }) {
  const { path } = useRouter()
  const [theme, choose] = useTheme()
  return (
    <header className="top">
      <div className="top-inner">
        <Link href="/" className="brand" aria-label="Symphony, overview">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <path d="M8 13v6M13.3 9v14M18.7 12v8M24 14.5v3" />
          </svg>
          <span>Symphony</span>
        </Link>
        {info !== undefined && (
          <span className="stage" title={info.store}>
            {info.kind === 'local' ? 'local' : info.stage}
          </span>
        )}
        <nav aria-label="Views">
          {views.map(v => (
            <Link key={v.path} href={v.path} aria-current={path === v.path || (v.path === '/rooms' && path === '/room') ? 'page' : undefined}>
              {v.name}
            </Link>
          ))}
        </nav>
        <div className="top-end">
          <Pulse />
          <Choice label="Theme" value={theme} options={themes} onChange={choose} />
        </div>
      </div>
    </header>
  )
}

function Pulse() {
  const { link } = useLive()
  return (
    <span className={`pulse ${link}`}>
      <i aria-hidden="true" />
      {link === 'live' ? 'Live' : link === 'lost' ? 'Offline' : 'Connecting'}
    </span>
  )
}

/** Told once the stream has been gone for a moment; a blink is nobody's business. */
function Lost() {
  const { link, snapshot } = useLive()
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (link !== 'lost') {
      setShown(false)
      return
    }
    const timer = setTimeout(() => setShown(true), 1000)
    return () => clearTimeout(timer)
  }, [link])
  const problem = link === 'live' ? snapshot?.problem : undefined
  return (
    <div role="status" className="banner-place">
      {shown && (
        <p className="banner">
          <Icon name="warning" /> The dashboard does not answer: what you see is old. Trying again…
        </p>
      )}
      {problem !== undefined && (
        <p className="banner">
          <Icon name="warning" /> No figures: {problem}
        </p>
      )}
    </div>
  )
}

function Foot({ info }: { info: Info }) {
  return (
    <footer className="foot">
      <span>
        Symphony {info.version} · {info.kind === 'local' ? 'this machine' : `stage ${info.stage}`} · {info.store}
      </span>
      <span>{info.changes ? 'Changes are allowed' : 'Read only. Start with --allow-changes to act'}</span>
    </footer>
  )
}
