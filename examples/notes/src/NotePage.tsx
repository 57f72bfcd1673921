import type { SyncedMap } from '@symphony-rt/client'
import { useMap, useRoom, useStatus } from '@symphony-rt/client/react'
import { type ReactNode, useEffect, useRef } from 'react'
import { editor } from './codemirror'
import { Back, Trash } from './icons'
import { People } from './People'
import type { Note } from './room'
import { Status } from './Status'

interface NotePageProps {
  note: SyncedMap<Note>
  onClose: () => void
  onRemove: (() => void) | undefined
}

/** A note's title and text, and who else is here. */
export function NotePage ({ note, onClose, onRemove }: NotePageProps) {
  const [title] = useMap<Note, string>(note, note => note.title ?? '')
  const isReadOnly = useStatus(status => status.isReadOnly)
  const text = useRef<{ focus: () => void }>(null)
  return (
    <main className="note" onKeyDown={event => { if (event.key === 'Escape' && document.querySelector(':popover-open') === null) onClose() }}>
      <div className="top">
        <button className="button icon back" onClick={onClose} aria-label="All notes"><Back /></button>
        {onRemove !== undefined && <button className="button icon danger" onClick={onRemove} aria-label="Delete note" title="Delete note"><Trash /></button>}
        <Status />
        <People />
      </div>
      <input
        className="title" aria-label="Title" placeholder="Untitled" maxLength={200} value={title} readOnly={isReadOnly}
        autoFocus={title === '' && !isReadOnly}
        onChange={event => { note.set('title', event.target.value) }}
        onKeyDown={event => {
          if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
          event.preventDefault() // the key is not for the text
          text.current?.focus()
        }}
      />
      <Text note={note} isReadOnly={isReadOnly} ref={text} />
    </main>
  )
}

/** CodeMirror, bound to the note's text: what others type arrives without React. */
function Text ({ note, isReadOnly, ref }: { note: SyncedMap<Note>, isReadOnly: boolean, ref: React.RefObject<{ focus: () => void } | null> }) {
  const { provider } = useRoom()
  const parent = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const view = editor(parent.current!, note.get('text')!.yjs, provider.awareness, isReadOnly)
    ref.current = view
    return () => { view.destroy() }
  }, [note, provider, isReadOnly, ref])
  return <div className="text" ref={parent} />
}

/** In place of a note. */
NotePage.Empty = function Empty ({ children }: { children: ReactNode }) {
  return (
    <main className="note">
      <div className="top"><Status /><People /></div>
      <div className="empty">{children}</div>
    </main>
  )
}
