// Four editors, each with a document, a room and a provider of its own.

import './style.css'
import { SymphonyProvider } from '@symphony-rt/client'
import * as Y from 'yjs'
import { mountCodeMirror } from './codemirror'
import { mountLexical } from './lexical'
import { mountQuill } from './quill'
import { mountTiptap } from './tiptap'
import { anyone } from './user'

const query = new URLSearchParams(location.search)
const server = query.get('server') ?? new URL('/dev', location.href).href
const room = query.get('room') ?? 'editors'
const user = anyone(query.get('name'))

function start (name: string, connect = true): { parent: HTMLElement, provider: SymphonyProvider, tools: NodeListOf<HTMLButtonElement> } {
  const section = document.getElementById(name)!
  const provider = new SymphonyProvider(server, `${room}/${name}`, new Y.Doc(), { offline: true, connect })
  provider.awareness.setLocalStateField('user', user)
  const status = section.querySelector<HTMLElement>('.status')!
  const show = (): void => {
    status.dataset.state = !provider.synced ? 'offline' : provider.hasUnacknowledgedChanges ? 'saving' : 'saved'
    status.textContent = { offline: 'Connecting…', saving: 'Saving…', saved: 'Saved' }[status.dataset.state]!
  }
  provider.on('sync', show)
  provider.on('sync-status', show)
  show()
  return { parent: section.querySelector<HTMLElement>('.editor')!, provider, tools: section.querySelectorAll('button') }
}

const code = start('codemirror')
mountCodeMirror(code.parent, code.provider)
const rich = start('tiptap')
mountTiptap(rich.parent, rich.provider, user, rich.tools)
const quill = start('quill')
mountQuill(quill.parent, quill.provider)
const lexical = start('lexical', false) // the binding connects
mountLexical(lexical.parent, lexical.provider, user)
