import { useStatus } from '@symphony-rt/client/react'

const WORDS = { offline: 'Offline', saving: 'Saving…', saved: 'Saved', reading: 'Reading only' }

/** Whether the server has everything. Offline, changes are kept in this browser. */
export function Status () {
  const state = useStatus(({ isSynced, isSaved, isReadOnly }) => !isSynced ? 'offline' : isReadOnly ? 'reading' : isSaved ? 'saved' : 'saving')
  const title = state === 'offline' ? 'What you write is kept in this browser until the connection is back' : undefined
  return <span className="status" role="status" data-state={state} title={title}>{WORDS[state]}</span>
}
