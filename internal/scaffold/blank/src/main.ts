import { SymphonyClient } from '@symphony-rt/client'
import './style.css'

interface Entry { text: string, done: boolean }

// Everybody with the same ?room= in the address is in the same room.
const query = new URLSearchParams(location.search)
const server = query.get('server') ?? import.meta.env.VITE_SYMPHONY_URL ?? new URL('/dev', location.href).href
const token = query.get('token')

const client = new SymphonyClient(server, { offline: true, ...(token !== null && { token }) })
const room = client.enter(query.get('room') ?? 'lobby')
const entries = room.newList<Entry>('entries')
const history = room.history

const find = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!
const list = find<HTMLUListElement>('#list')
const input = find<HTMLInputElement>('#text')

function render (): void {
  list.replaceChildren(...entries.toArray().map((entry, index) => {
    const item = document.createElement('li')
    const label = document.createElement('label')
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: entry.done })
    box.addEventListener('change', () => { entries.get(index)?.set('done', box.checked) })
    label.append(box, ` ${entry.text}`)
    const remove = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Remove' })
    remove.setAttribute('aria-label', `Remove ${entry.text}`)
    remove.addEventListener('click', () => { entries.delete(index) })
    item.append(label, remove)
    return item
  }))
}

find<HTMLFormElement>('#add').addEventListener('submit', event => {
  event.preventDefault()
  if (input.value.trim() === '') return
  entries.push({ text: input.value.trim(), done: false })
  input.value = ''
})

addEventListener('keydown', event => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || event.target === input) return
  event.preventDefault()
  if (event.shiftKey) history.redo()
  else history.undo()
})

room.subscribe(entries, render)
room.subscribe('status', status => { find('#status').textContent = status })
room.subscribe('others', others => {
  find('#others').textContent = others.length === 0 ? 'only you' : `you and ${others.length} more`
})
find('#status').textContent = room.status
render()
