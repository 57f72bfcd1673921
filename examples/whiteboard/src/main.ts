// Puts the whiteboard together.

import { ErrorCode, type Problem } from '@symphony-rt/client'
import './style.css'
import { Actions } from './actions'
import { AddressError, readAddress, type Address } from './address'
import { Board } from './board'
import { Camera } from './camera'
import { h } from './dom'
import { bounds, contains, union, type Point } from './geometry'
import { Input } from './input'
import { listenToKeys } from './keyboard'
import { loadMe, loadView, saveView } from './memory'
import { Presence, type Person } from './presence'
import { Scene } from './scene'
import { Session } from './session'
import { Store } from './store'
import { Typing } from './typing'
import { historyButtons, zoomButtons } from './ui/corner'
import { helpDialog } from './ui/help'
import { icon } from './ui/icons'
import { emptyHint, Messages, wrongAddress } from './ui/messages'
import { meButton, people, statusPill } from './ui/people'
import { selectionBar, stylePanel, toolbar } from './ui/tools'
import { roomPanel, themeButton } from './ui/top'
import type { Bench } from './gestures'

const app = document.getElementById('app') as HTMLElement

function screen (): Point {
  return [innerWidth, innerHeight]
}

/** In words for the user; what heals by itself shows as the connection's status and needs none. */
function tell ({ code, text, update }: Problem): string | null {
  if (code === ErrorCode.denied || code === ErrorCode.roomId) return `The server refused this board: ${text}`
  if (update === undefined) return null
  if (code === ErrorCode.readOnly) return 'You may only look at this board. Others will not see what you drew.'
  return code === ErrorCode.tooLarge ? 'Something is too large to be sent. Others will not see it.' : `The server refused a change: ${text}`
}

function start (address: Address): void {
  document.title = `${address.room} · Symphony`
  if (address.fresh) history.replaceState(null, '', address.link)

  const messages = new Messages()
  const session = new Session(address, problem => {
    const text = tell(problem)
    if (text !== null) messages.toast(text, true)
  })
  const board = new Board(session.doc)
  const store = new Store()
  const camera = new Camera()
  const scene = new Scene(board, camera)
  const presence = new Presence(session.awareness, camera, loadMe())
  const host = h('main', { class: 'stage' }, scene.svg, presence.layer)
  const typing = new Typing(host, board, scene, camera, store)
  const mayWrite = () => !session.provider.isReadOnly
  const editText = (id: string, isNew: boolean) => typing.open(id, isNew)

  let marquee: Parameters<Bench['setMarquee']>[0] = null
  const frames = () => scene.choose([
    ...presence.others().map(({ selection, color }) => ({ ids: selection, color })),
    { ids: store.get().selection, color: null }
  ], marquee)
  const bench: Bench = {
    board, scene, store, editText, zoom: () => camera.view.zoom, setMarquee: box => { marquee = box; frames() }
  }
  const actions = new Actions({ board, store, camera, screen, mayWrite, editText, announce: messages.announce })
  const input = new Input({
    bench, camera, scene, mayWrite,
    onPointer: world => presence.setCursor(world),
    onGesture: busy => document.body.classList.toggle('busy', busy)
  })

  session.onStatus(() => {
    if (document.body.classList.toggle('reading', !mayWrite()) && store.get().tool !== 'hand') store.set({ tool: 'select' })
  })
  store.on(({ tool, selection }) => {
    scene.svg.dataset['tool'] = tool
    presence.setSelection(selection)
    frames()
  })
  presence.onChange(frames)
  camera.onChange(({ x, y, zoom }) => {
    host.style.setProperty('--grid', `${gridStep(zoom)}px`)
    host.style.setProperty('--x', `${x}px`)
    host.style.setProperty('--y', `${y}px`)
  })

  const help = helpDialog()
  const openHelp = () => { if (!help.open) help.showModal() }
  listenToKeys({
    actions,
    help: openHelp,
    onBoard: e => e.target === scene.svg || e.target === document.body,
    escape: () => {
      if (!input.cancel()) store.set({ selection: [], tool: 'select' })
      scene.svg.focus()
    }
  })

  const goTo = (person: Person) => {
    const cursor = presence.others().find(({ client }) => client === person.client)?.cursor
    if (cursor != null) camera.center(cursor, screen())
    else messages.toast(`${person.name} is not pointing anywhere.`)
  }
  const styles = stylePanel(store, actions)
  app.replaceChildren(
    host,
    emptyHint(board, session),
    h('div', { class: 'top' },
      roomPanel(address.room, address.link, messages.toast),
      h('div', { class: 'panel top-right' }, statusPill(session), people(presence, goTo), meButton(presence, messages.announce), themeButton())),
    styles,
    h('div', { class: 'bottom' }, selectionBar(store, board, actions), toolbar(store, actions, styles)),
    h('div', { class: 'bottom-left' }, historyButtons(board, actions), zoomButtons(camera, actions)),
    h('button', { class: 'button panel help-button', type: 'button', 'aria-label': 'Shortcuts', 'data-tip': 'Shortcuts  ·  ?', click: openHelp }, icon('help')),
    messages.toasts, messages.spoken, help)

  keepCentre(camera)
  if (!rememberView(camera, address.room)) {
    camera.center([0, 0], screen())
    session.provider.once('sync', () => showContent(board, camera, actions))
  }
  addEventListener('beforeunload', e => { if (session.atRisk) e.preventDefault() })
  welcomeOthers(presence, messages)
  // What the end-to-end tests look at (README.md, "Tests").
  Object.assign(window, { __symphony: { doc: session.doc, provider: session.provider, board, camera, status: () => session.status } })
}

/** The distance between the dots, in screen pixels: the same to the eye at any zoom. */
function gridStep (zoom: number): number {
  let step = 28 * zoom
  while (step < 16) step *= 2
  while (step > 56) step /= 2
  return step
}

/** What is in the middle stays there when the window changes its size. */
function keepCentre (camera: Camera): void {
  let size = screen()
  addEventListener('resize', () => {
    const now = screen()
    camera.pan((now[0] - size[0]) / 2, (now[1] - size[1]) / 2)
    size = now
  })
}

/** Whoever comes to a board that is not empty sees all of it. */
function showContent (board: Board, camera: Camera, actions: Actions): void {
  const all = union(board.all().map(bounds))
  const seen = camera.visible(screen())
  if (all !== null && !(contains(seen, [all.x, all.y]) && contains(seen, [all.x + all.w, all.y + all.h]))) actions.zoomFit()
}

/** A reload comes back to the same place; returns whether it did. */
function rememberView (camera: Camera, room: string): boolean {
  addEventListener('pagehide', () => saveView(room, { middle: camera.toWorld(middleOf(screen())), zoom: camera.view.zoom }))
  const saved = loadView(room)
  if (saved !== null) camera.center(saved.middle, screen(), saved.zoom)
  return saved !== null
}

function middleOf (size: Point): Point {
  return [size[0] / 2, size[1] / 2]
}

function welcomeOthers (presence: Presence, messages: Messages): void {
  let before = new Map<number, string>()
  presence.onChange(others => {
    const now = new Map(others.map(({ client, name }) => [client, name]))
    for (const [client, name] of now) if (!before.has(client)) messages.announce(`${name} is here`)
    for (const [client, name] of before) if (!now.has(client)) messages.announce(`${name} has left`)
    before = now
  })
}

try {
  start(readAddress(new URL(location.href), import.meta.env['VITE_SYMPHONY_URL'] as string | undefined))
} catch (error) {
  if (!(error instanceof AddressError)) throw error
  app.replaceChildren(wrongAddress(error.message))
}
