import { useHistory, useMap, useMyPresence, useRoom, useStatus } from '@symphony-rt/client/react'
import { useEffect, useState } from 'react'
import { Plus } from './icons'
import { NoteList } from './NoteList'
import { NotePage } from './NotePage'
import type { Note, Notes, Presence } from './room'
import { Toast } from './Toast'
import { useOpenNote } from './useOpenNote'

export function App () {
  const room = useRoom()
  const [has, notes] = useMap<Notes, Record<string, boolean>>('notes', notes => Object.fromEntries(Object.keys(notes).map(id => [id, true])))
  const [, updatePresence] = useMyPresence<Presence, null>(() => null)
  const { isSynced, isReadOnly } = useStatus()
  const { history } = useHistory(notes)
  const [open, setOpen] = useOpenNote()
  const [deleted, setDeleted] = useState<string | null>(null)
  const note = open !== null && has[open] ? notes.get(open) : undefined

  // A note that somebody else deleted is not open any more; one that has not arrived yet may still come.
  const shown = note === undefined ? null : open
  useEffect(() => { updatePresence({ note: shown }) }, [shown, updatePresence])
  useEffect(() => { if (isSynced && open !== null && shown === null) setOpen(null) }, [isSynced, open, shown, setOpen])

  function create (): void {
    const id = crypto.randomUUID()
    notes.set(id, { title: '', created: Date.now(), text: room.newNestedText() } satisfies Note)
    setOpen(id)
  }

  function remove (id: string): void {
    setDeleted(notes.get(id)?.get('title') || 'Untitled')
    history.clear() // so that this is the step that undo takes back
    notes.delete(id)
    if (id === open) setOpen(null)
  }

  // It can be taken back until something else is done.
  useEffect(() => deleted === null ? undefined : history.subscribe(() => { setDeleted(null) }), [deleted, history])

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.altKey && event.code === 'KeyN' && !isReadOnly) {
        event.preventDefault()
        create()
      } else if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault()
        document.querySelector<HTMLInputElement>('.search')?.focus()
      }
    }
    addEventListener('keydown', onKey)
    return () => { removeEventListener('keydown', onKey) }
  })

  const add = !isReadOnly && <button className="button primary" onClick={create} title="Alt+N"><Plus /> New note</button>
  return (
    <div className="app" data-open={shown ?? undefined}>
      <NoteList open={shown} onCreate={isReadOnly ? undefined : create} onRemove={isReadOnly ? undefined : remove} />
      {note !== undefined
        ? <NotePage key={open} note={note} onClose={() => { setOpen(null) }} onRemove={isReadOnly ? undefined : () => { remove(open!) }} />
        : <NotePage.Empty>{Object.keys(has).length > 0 ? 'No note is open.' : isSynced ? 'There are no notes yet.' : 'Looking for notes…'}{add}</NotePage.Empty>}
      {deleted !== null && <Toast text={`“${deleted}” deleted`} action="Undo" onAction={() => { history.undo() }} onEnd={() => { setDeleted(null) }} />}
    </div>
  )
}
