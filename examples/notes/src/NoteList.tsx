import { useMap, useOthers } from '@symphony-rt/client/react'
import { type KeyboardEvent, memo, useDeferredValue, useState } from 'react'
import { Plus } from './icons'
import { sameUsers, type User, usersOf } from './me'
import type { Notes, Presence } from './room'

interface Summary {
  title: string
  created: number
  text: string
}

/** The notes, the newest first, with those who have them open. */
export function NoteList ({ open, onCreate, onRemove }: { open: string | null, onCreate: (() => void) | undefined, onRemove: ((id: string) => void) | undefined }) {
  const [notes] = useMap<Notes>('notes')
  const [search, setSearch] = useState('')
  const words = useDeferredValue(search).toLowerCase().split(/\s+/).filter(Boolean)
  const found = (Object.entries(notes) as Array<[string, Summary]>)
    .filter(([, { title, text }]) => words.every(word => `${title}\n${text}`.toLowerCase().includes(word)))
    .sort(([a, { created: at }], [b, { created: bt }]) => bt - at || (a < b ? -1 : 1))

  function onKeyDown (event: KeyboardEvent<HTMLElement>): void {
    const links = [...event.currentTarget.querySelectorAll('a')]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    const id = links[at]?.dataset.id
    if (event.key === 'ArrowDown') links[Math.min(at + 1, links.length - 1)]?.focus()
    else if (event.key === 'ArrowUp' && at >= 0) (links[at - 1] ?? event.currentTarget.querySelector('input'))?.focus()
    else if (event.key === 'Delete' && id !== undefined && onRemove !== undefined) {
      (links[at + 1] ?? links[at - 1])?.focus()
      onRemove(id)
    } else return
    event.preventDefault()
  }

  return (
    <nav className="side" aria-label="Notes" onKeyDown={onKeyDown}>
      <header>
        <h1>Notes</h1>
        {onCreate !== undefined && <button className="button icon" onClick={onCreate} aria-label="New note" title="New note (Alt+N)"><Plus /></button>}
      </header>
      <input className="search" type="search" placeholder="Search" aria-label="Search notes" title="Ctrl+K" value={search} onChange={event => { setSearch(event.target.value) }} />
      <ul className="list">
        {found.map(([id, note]) => <Item key={id} id={id} note={note} open={id === open} />)}
      </ul>
      {words.length > 0 && found.length === 0 && <p className="none">No note has these words.</p>}
    </nav>
  )
}

const Item = memo(function Item ({ id, note, open }: { id: string, note: Summary, open: boolean }) {
  return (
    <li>
      <a href={`#${id}`} data-id={id} aria-current={open ? 'page' : undefined}>
        <span className="line"><b>{note.title || 'Untitled'}</b><Readers id={id} /></span>
        <small>{note.text.trim().split('\n', 1)[0]!.slice(0, 100) || 'No text'}</small>
      </a>
    </li>
  )
})

/** Who has a note open. */
function Readers ({ id }: { id: string }) {
  const users = useOthers<Presence, User[]>(others => usersOf(others.filter(({ presence }) => presence.note === id)), sameUsers)
  return users.length > 0 && <span className="dots">{users.map((user, at) => <i key={at} style={{ '--user': user.color }} title={user.name} />)}</span>
}
