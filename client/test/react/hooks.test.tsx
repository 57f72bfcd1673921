// Every hook: what it shows, and that it renders only when that changes (counted).

import { act } from '@testing-library/react'
import { memo } from 'react'
import * as Y from 'yjs'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { SymphonyRoom, useBroadcast, useCounter, useHistory, useList, useMap, useMyPresence, useOthers, useRoom, useStatus, useText } from '../../src/react'
import type { SyncedList, SyncedMap, SyncedText } from '../../src/room'
import { offline, Peer, show } from './world'

interface Todo { text: string, done: boolean }

/** Counts renders of a component by name. */
function counter () {
  const renders: Record<string, number> = {}
  return { renders, count: (name: string) => { renders[name] = (renders[name] ?? 0) + 1 } }
}

describe('useList', () => {
  test('shows local and remote changes, nested ones too', () => {
    const List = () => <>{useList<Todo>('todos')[0].map(todo => `${todo.text}:${todo.done} `)}</>
    const { room, text } = show(<List />)
    const todos = room.newList<Todo>('todos')
    act(() => { todos.push({ text: 'a', done: false }, { text: 'b', done: false }) })
    expect(text()).toBe('a:false b:false ')
    act(() => { todos.get(1)!.set('done', true) })
    expect(text()).toBe('a:false b:true ')
    act(() => { new Peer(room).edit(doc => { (doc.getArray('todos').get(0) as Y.Map<unknown>).set('text', 'A') }) })
    expect(text()).toBe('A:false b:true ')
  })

  test('unchanged elements stay the same objects: memo rows do not render again', () => {
    const { renders, count } = counter()
    const Row = memo(({ todo }: { todo: Todo }) => {
      count(todo.text)
      return <i>{todo.text}</i>
    })
    const List = () => <>{useList<Todo>('todos')[0].map(todo => <Row key={todo.text} todo={todo} />)}</>
    const { room, text } = show(<List />)
    const todos = room.newList<Todo>('todos')
    act(() => { todos.push({ text: 'a', done: false }, { text: 'b', done: false }) })
    act(() => { todos.unshift({ text: 'c', done: false }) })
    act(() => { todos.get(2)!.set('done', true) })
    act(() => { todos.move(0, 2) })
    expect(text()).toBe('abc')
    expect(renders).toEqual({ a: 1, b: 2, c: 1 })
  })

  test('a selector renders only when its selection changes; nothing renders for what is elsewhere', () => {
    const { renders, count } = counter()
    const Open = () => {
      count('open')
      return <>{useList<Todo, number>('todos', todos => todos.filter(todo => !todo.done).length)[0]}</>
    }
    const Texts = () => {
      count('texts')
      return <>{useList<Todo, string[]>('todos', todos => todos.map(todo => todo.text))[0].join()}</>
    }
    const { room, text } = show(<><Open /><Texts /></>)
    const todos = room.newList<Todo>('todos')
    act(() => { todos.push({ text: 'a', done: false }) })
    expect(text()).toBe('1a')
    expect(renders).toEqual({ open: 2, texts: 2 })
    act(() => { todos.get(0)!.set('done', true) })
    expect(text()).toBe('0a')
    expect(renders).toEqual({ open: 3, texts: 2 }) // the same members: shallow equality
    act(() => { todos.get(0)!.set('text', 'b') })
    expect(renders).toEqual({ open: 3, texts: 3 })
    act(() => {
      room.newMap('other').set('x', 1)
      room.updatePresence({ x: 1 })
      todos.get(0)!.set('text', 'b') // the same again
    })
    expect(renders).toEqual({ open: 3, texts: 3 })
  })

  test('custom equality', () => {
    const { renders, count } = counter()
    const Sum = () => {
      count('sum')
      return <>{useList<number, number>('n', numbers => numbers.reduce((a, b) => a + b, 0), (a, b) => Math.abs(a - b) < 10)[0]}</>
    }
    const { room, text } = show(<Sum />)
    const numbers = room.newList<number>('n')
    act(() => { numbers.push(5) })
    act(() => { numbers.push(4) })
    expect([text(), renders.sum]).toEqual(['0', 1])
    act(() => { numbers.push(4) })
    expect([text(), renders.sum]).toEqual(['13', 2])
  })

  test('P4: a bundle is one render; P19: so is an update from elsewhere', () => {
    const { renders, count } = counter()
    const List = () => {
      count('list')
      return <>{useList<number>('n')[0].length}</>
    }
    const { room, text } = show(<List />)
    act(() => { room.bundle(() => { for (let n = 0; n < 50; n++) room.newList<number>('n').push(n) }) })
    act(() => { new Peer(room).edit(doc => { for (let n = 0; n < 50; n++) doc.getArray('n').push([n]) }) })
    expect([text(), renders.list]).toEqual(['100', 3])
  })

  test('takes a nested list too', () => {
    const Tags = ({ list }: { list: SyncedList<string> }) => <>{useList(list)[0].join()}</>
    const App = () => {
      const [tags, map] = useMap<{ tags: string[] }, boolean>('map', map => map.tags !== undefined)
      return tags ? <Tags list={map.get('tags')!} /> : null
    }
    const { room, text } = show(<App />)
    act(() => { room.newMap<{ tags: string[] }>('map').set('tags', ['a']) })
    act(() => { room.newMap<{ tags: string[] }>('map').get('tags')!.push('b') })
    expect(text()).toBe('a,b')
  })
})

test('useMap: entries, selector, and the map to change', () => {
  const { renders, count } = counter()
  const Title = () => {
    count('title')
    return <>{useMap<{ title: string, n: number }, string>('map', map => map.title ?? 'untitled')[0]}</>
  }
  let set!: (title: string) => void
  const All = () => {
    const [entries, map] = useMap<{ title: string, n: number }>('map')
    set = title => { map.set('title', title) }
    return <>{JSON.stringify(entries)}</>
  }
  const { room, text } = show(<><Title /><All /></>)
  expect(text()).toBe('untitled{}')
  act(() => { set('x') })
  act(() => { room.newMap('map').set('n', 0) })
  expect(text()).toBe('x{"title":"x","n":0}')
  expect(renders.title).toBe(2)
})

test('useText and useCounter', () => {
  const Words = () => <>{useText('note', note => note.split(' ').length)[0]}</>
  const All = () => <>{useText('note')[0]}</>
  const Likes = () => <>{useCounter('likes')[0]}</>
  const { room, text } = show(<><Words />|<All />|<Likes /></>)
  act(() => {
    room.newText('note').insert(0, 'hello world')
    room.newCounter('likes').increment(2)
  })
  expect(text()).toBe('2|hello world|2')
})

describe('presence', () => {
  interface Presence { name: string, x: number }

  test('P6, P8: others without me; my own presence renders nobody who shows others', () => {
    const { renders, count } = counter()
    const Count = () => {
      count('count')
      return <>{useOthers(others => others.length)}</>
    }
    const Names = () => {
      count('names')
      return <>{useOthers<Presence>().map(other => other.presence.name)}</>
    }
    const { room, text } = show(<><Count /><Names /></>)
    const peer = new Peer(room)
    act(() => { peer.present({ name: 'Ada', x: 1 }) })
    expect(text()).toBe('1Ada')
    expect(renders).toEqual({ count: 2, names: 2 })
    act(() => { peer.present({ name: 'Ada', x: 2 }) })
    expect(renders).toEqual({ count: 2, names: 3 })
    act(() => { room.updatePresence({ x: 3 }) })
    act(() => { peer.present({ name: 'Ada', x: 2 }) }) // a renewal
    expect(renders).toEqual({ count: 2, names: 3 })
    act(() => { peer.present(null) })
    expect(text()).toBe('0')
    peer.leave()
  })

  test('P7: useMyPresence keeps other keys, and its setter is always the same', () => {
    const setters = new Set<unknown>()
    let update!: (presence: Partial<Presence>) => void
    const Me = () => {
      const [me, updateMe] = useMyPresence<Presence>()
      setters.add(update = updateMe)
      return <>{JSON.stringify(me)}</>
    }
    const { text } = show(<Me />, { initialPresence: { name: 'Ada' } })
    expect(text()).toBe('{"name":"Ada"}')
    act(() => { update({ x: 1 }) })
    act(() => { update({ x: 2 }) })
    expect(text()).toBe('{"name":"Ada","x":2}')
    expect(setters.size).toBe(1)
  })
})

describe('useHistory', () => {
  const Buttons = ({ of }: { of?: SyncedList<any> }) => {
    const { undo, redo, canUndo, canRedo } = useHistory(of)
    renders++
    return <><button disabled={!canUndo} onClick={undo}>undo</button><button disabled={!canRedo} onClick={redo}>redo</button></>
  }
  let renders = 0

  test('P17, P18: of the room: only mine, and it renders only when a button changes', () => {
    renders = 0
    const List = () => <>{useList<number>('n')[0].join()}</>
    const { room, text, getByText } = show(<><Buttons /><List /></>)
    const numbers = room.newList<number>('n')
    expect(renders).toBe(1)
    act(() => { numbers.push(1) })
    act(() => { numbers.push(2) })
    expect(renders).toBe(2)
    act(() => { new Peer(room).edit(doc => { doc.getArray('n').push([3]) }) })
    act(() => { getByText('undo').click() })
    expect(text()).toBe('undoredo1,3')
    act(() => { getByText('undo').click() })
    expect(text()).toBe('undoredo3')
    expect((getByText('undo') as HTMLButtonElement).disabled).toBe(true)
    act(() => { getByText('redo').click() })
    expect(text()).toBe('undoredo1,3')
  })

  test('of one value: what is done elsewhere stays', () => {
    const App = () => <Buttons of={useList('n')[1]} />
    const { room, getByText } = show(<App />)
    act(() => {
      room.newList('n').push(1)
      room.newList('other').push(1)
    })
    act(() => { getByText('undo').click() })
    expect([room.newList('n').length, room.newList('other').length]).toEqual([0, 1])
  })
})

test('useStatus: saved, synced, and a selector', () => {
  const { renders, count } = counter()
  const Saved = () => <>{useStatus().isSaved ? 'saved' : 'saving'}</>
  const Access = () => {
    count('access')
    return <>{useStatus(status => status.isReadOnly) ? 'reads' : 'writes'}</>
  }
  const { room, text } = show(<><Saved /><Access /></>)
  expect(text()).toBe('savedwrites')
  act(() => { room.newList('n').push(1) })
  expect(text()).toBe('savingwrites')
  expect(renders.access).toBe(1)
  act(() => {
    room.provider.connection.access = 'read' // as a welcome says it
    room.provider.emit('sync', [true])
  })
  expect([text(), renders.access]).toEqual(['savingreads', 2])
})

test('useBroadcast: the latest callback hears, the function stays the same, nothing renders', () => {
  const { renders, count } = counter()
  const heard: unknown[] = []
  const functions = new Set<unknown>()
  const Hear = ({ prefix }: { prefix: string }) => {
    count('hear')
    functions.add(useBroadcast<string>((event, from) => { heard.push(prefix + event, from) }))
    return null
  }
  const client = offline()
  const { room, rerender } = show(<Hear prefix="1 " />, { client })
  const says = (text: string) => act(() => { room.provider.emit('event', [{ type: 'peerEvent', connection: 'c', client: 7, userId: 'u', data: JSON.stringify(text) }]) })
  says('a')
  const before = renders.hear
  rerender(<SymphonyRoom client={client} id="room"><Hear prefix="2 " /></SymphonyRoom>)
  says('b')
  expect(heard).toEqual(['1 a', { clientId: 7, userId: 'u' }, '2 b', { clientId: 7, userId: 'u' }])
  expect([functions.size, renders.hear! - before!]).toEqual([1, 1])
})

test('useRoom does not render again by itself', () => {
  const { renders, count } = counter()
  const Add = () => {
    const room = useRoom()
    count('add')
    return <button onClick={() => room.newList<number>('n').push(1)}>add</button>
  }
  const { room, getByText } = show(<Add />)
  act(() => { getByText('add').click() })
  expect(room.newList('n').length).toBe(1)
  expect(renders.add).toBe(1)
})

test('types', () => {
  // Never run: hooks are outside of a component.
  const typed = () => {
    expectTypeOf(useList<Todo>('todos')).toEqualTypeOf<[ReadonlyArray<{ text: string, done: boolean }>, SyncedList<Todo>]>()
    expectTypeOf(useList<Todo, number>('todos', todos => todos.length)[0]).toEqualTypeOf<number>()
    expectTypeOf(useMap<Todo>('todo')[0].done).toEqualTypeOf<boolean | undefined>()
    expectTypeOf(useMap<Todo>('todo')[1]).toEqualTypeOf<SyncedMap<Todo>>()
    expectTypeOf(useText('text')).toEqualTypeOf<[string, SyncedText]>()
    expectTypeOf(useOthers(others => others.length)).toEqualTypeOf<number>()
    expectTypeOf(useOthers<{ name: string }>()[0]!.presence.name).toEqualTypeOf<string | undefined>()
    expectTypeOf(useMyPresence<{ name: string }>()[1]).parameter(0).toEqualTypeOf<Partial<{ name: string }>>()
    expectTypeOf(useStatus(status => status.isSaved)).toEqualTypeOf<boolean>()
    expectTypeOf(useRoom<{ name: string }>().getPresence()).toEqualTypeOf<Partial<{ name: string }>>()
  }
  expect(typed).toBeTypeOf('function')
})
