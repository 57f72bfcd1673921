// SymphonyRoom: entering and leaving, whatever React does with it.

import { act, render } from '@testing-library/react'
import { memo, StrictMode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { SymphonyRoom, useHistory, useList, useOthers, useRoom, useStatus } from '../../src/react'
import { SymphonyClient } from '../../src/room'
import { fakeSockets } from '../../src/testing'
import { Boundary, offline } from './world'

const Id = () => <>{useRoom().getRoomId()}</>
const later = () => act(async () => { await new Promise(resolve => setTimeout(resolve)) })

function connected () {
  const { Socket, sockets } = fakeSockets()
  return { client: new SymphonyClient('ws://127.0.0.1:1/dev', { WebSocketPolyfill: Socket, disableBc: true }), sockets }
}

test('P2: StrictMode and three times the same room: one room, one socket; P3: none after they are gone', async () => {
  const { client, sockets } = connected()
  const rooms = new Set<unknown>()
  const Keep = () => {
    rooms.add(useRoom())
    return <Id />
  }
  const one = <SymphonyRoom client={client} id="a"><Keep /></SymphonyRoom>
  const { container, unmount } = render(<StrictMode>{one}{one}{one}</StrictMode>)
  await later()
  expect(container.textContent).toBe('aaa')
  expect([rooms.size, sockets.length, client.getRooms()]).toEqual([1, 1, ['a']])
  unmount()
  await later()
  expect(client.getRooms()).toEqual([])
  expect(sockets.every(socket => socket.readyState === 3)).toBe(true)
})

test('leaving and entering in one commit keeps the room', async () => {
  const { client, sockets } = connected()
  const App = ({ page }: { page: string }) => <SymphonyRoom key={page} client={client} id="a"><Id /></SymphonyRoom>
  const { rerender } = render(<App page="one" />)
  await later()
  rerender(<App page="two" />)
  await later()
  expect([sockets.length, client.getRooms()]).toEqual([1, ['a']])
})

test('another id: the children start anew in the other room, and never see the wrong one', async () => {
  const client = offline()
  const seen: string[] = []
  const Show = ({ id }: { id: string }) => {
    const [items] = useList<string>('items')
    seen.push(`${id} ${useRoom().getRoomId()}`)
    return <>{items.join()}</>
  }
  const App = ({ id }: { id: string }) => <SymphonyRoom client={client} id={id} fallback="entering"><Show id={id} /></SymphonyRoom>
  const { container, rerender } = render(<App id="a" />)
  act(() => { client.enter('a').newList<string>('items').push('of a') })
  void client.leave('a')
  expect(container.textContent).toBe('of a')
  rerender(<App id="b" />)
  expect(container.textContent).toBe('')
  await later()
  expect(client.getRooms()).toEqual(['b'])
  expect(seen.every(line => line === 'a a' || line === 'b b')).toBe(true)
})

test('another client: the same id on the other server', async () => {
  const [one, two] = [offline(), offline()]
  const { rerender } = render(<SymphonyRoom client={one} id="a"><Id /></SymphonyRoom>)
  rerender(<SymphonyRoom client={two} id="a"><Id /></SymphonyRoom>)
  await later()
  expect([one.getRooms(), two.getRooms()]).toEqual([[], ['a']])
})

test('nested rooms: the nearest counts', () => {
  const client = offline()
  const { container } = render(<SymphonyRoom client={client} id="a"><Id /><SymphonyRoom client={client} id="b"><Id /></SymphonyRoom></SymphonyRoom>)
  expect(container.textContent).toBe('ab')
})

test('on a server: the fallback, no room, no error', () => {
  const client = offline()
  expect(renderToString(<SymphonyRoom client={client} id="a" fallback={<p>…</p>}><Id /></SymphonyRoom>)).toBe('<p>…</p>')
  expect(client.getRooms()).toEqual([])
})

test('hydration: what the server sent is taken over without a word, then the room is entered', async () => {
  const client = offline()
  const words: unknown[] = []
  const said = vi.spyOn(console, 'error').mockImplementation((...args) => { words.push(args) })
  const app = <StrictMode><SymphonyRoom client={client} id="a" fallback={<p>…</p>}><Id /></SymphonyRoom></StrictMode>
  const container = document.createElement('div')
  container.innerHTML = renderToString(app)
  const root = await act(async () => hydrateRoot(container, app))
  expect([container.textContent, words]).toEqual(['a', []])
  act(() => { root.unmount() })
  said.mockRestore()
})

test('P3: 200 times in and out leave no room, no socket, no subscription', async () => {
  const { client, sockets } = connected()
  const Show = () => <>{useList('items')[0].length}{useOthers().length}{String(useStatus().isSaved)}{String(useHistory().canUndo)}</>
  for (let round = 0; round < 200; round++) {
    render(<SymphonyRoom client={client} id={`room ${round % 3}`}><Show /></SymphonyRoom>).unmount()
    if (round % 20 === 0) await later()
  }
  await later()
  expect(client.getRooms()).toEqual([])
  expect(sockets.every(socket => socket.readyState === 3)).toBe(true)
})

test('a list of 2,000 elements: one change renders one row', () => {
  const client = offline()
  const room = client.enter('a')
  const list = room.newList<{ n: number }>('items')
  room.bundle(() => { list.push(...Array.from({ length: 2_000 }, (_, n) => ({ n }))) })
  let rows = 0
  const Row = memo(({ item }: { item: { n: number } }) => {
    rows++
    return item.n % 500 === 0 ? <i>{item.n}</i> : null
  })
  const List = () => <>{useList<{ n: number }>('items')[0].map((item, at) => <Row key={at} item={item} />)}</>
  render(<SymphonyRoom client={client} id="a"><List /></SymphonyRoom>)
  rows = 0
  for (let round = 0; round < 10; round++) act(() => { list.get(round * 100)!.set('n', -1) })
  expect(rows).toBe(10)
  void client.leave('a')
})

test('a hook without a room, a bad id and a clash of types are clear errors for an error boundary', () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => {})
  const List = () => <>{useList('x')[0]}</>
  expect(render(<Boundary><List /></Boundary>).container.textContent).toContain('<SymphonyRoom>')
  expect(render(<Boundary><SymphonyRoom client={offline()} id=""><Id /></SymphonyRoom></Boundary>).container.textContent).toMatch(/room/)
  const client = offline()
  client.enter('a').newMap('x')
  expect(render(<Boundary><SymphonyRoom client={client} id="a"><List /></SymphonyRoom></Boundary>).container.textContent).toMatch(/"x"/)
  quiet.mockRestore()
})

test('options of the room are those of its first render', () => {
  const client = offline()
  const App = ({ name }: { name: string }) => <SymphonyRoom client={client} id="a" initialPresence={{ name }}><Id /></SymphonyRoom>
  const { rerender } = render(<App name="Ada" />)
  rerender(<App name="Grace" />)
  expect(client.enter('a').getPresence()).toEqual({ name: 'Ada' })
})
