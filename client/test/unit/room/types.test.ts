// What the compiler says about values: checked by tsc.

import { expectTypeOf, test } from 'vitest'
import type { Live, Plain, Room, SyncedCounter, SyncedList, SyncedMap, SyncedText } from '../../../src'
import { offline } from './rooms'

interface Todo { text: string, done: boolean, due?: string | null, tags: string[], author: { name: string } }
interface Note { title: string, body: SyncedText, likes: SyncedCounter, todos: Todo[] }

test('lists and maps are typed by the JSON in them', () => {
  const room = offline()
  const todos = room.newList<Todo>('todos')
  expectTypeOf(todos.get(0)).toEqualTypeOf<SyncedMap<Todo> | undefined>()
  expectTypeOf(todos.toArray()).toEqualTypeOf<Array<Plain<Todo>>>()
  expectTypeOf<Plain<Todo>>().toEqualTypeOf<Todo>()
  expectTypeOf(todos.map(todo => todo.get('tags'))).toEqualTypeOf<Array<SyncedList<string> | undefined>>()
  expectTypeOf(todos.find(() => true)?.get('author')?.get('name')).toEqualTypeOf<string | undefined>()
  expectTypeOf([...todos]).toEqualTypeOf<Array<SyncedMap<Todo>>>()
  const todo = room.newMap<Todo>('todo')
  expectTypeOf(todo.get('text')).toEqualTypeOf<string | undefined>()
  expectTypeOf(todo.get('due')).toEqualTypeOf<string | null | undefined>()
  expectTypeOf(todo.get('done')).toEqualTypeOf<boolean | undefined>()
  const wrong = (): void => {
    // @ts-expect-error no such key
    todo.get('nothing')
    // @ts-expect-error not text
    todo.set('text', 1)
    // @ts-expect-error incomplete
    todos.push({ text: 'x' })
    // @ts-expect-error a Date is no JSON of a Todo
    todo.set('due', new Date())
  }
  expectTypeOf(wrong).toBeFunction()
})

test('nested values of the room go where their JSON goes', () => {
  const room = offline()
  const notes = room.newList<Note>('notes')
  notes.push({ title: 'a', body: room.newNestedText('b'), likes: room.newNestedCounter(), todos: room.newNestedList<Todo>() })
  expectTypeOf(notes.get(0)?.get('body')).toEqualTypeOf<SyncedText | undefined>()
  expectTypeOf(notes.get(0)?.get('todos')).toEqualTypeOf<SyncedList<Todo> | undefined>()
  expectTypeOf(notes.toJSON()).toEqualTypeOf<Array<{ title: string, body: string, likes: number, todos: Todo[] }>>()
  const todos = room.newList<Todo>('todos')
  todos.push(room.newNestedMap<Todo>({ text: 'x', done: false, tags: [], author: { name: 'Ada' } }))
  expectTypeOf<Live<string | Todo | number[]>>().toEqualTypeOf<string | SyncedMap<Todo> | SyncedList<number>>()
  expectTypeOf<Live<any>>().toBeAny
})

test('presence, events and subscriptions are typed', () => {
  const room = offline() as unknown as Room<{ name: string, cursor: { x: number } | null }, { type: 'hi' }>
  expectTypeOf(room.getPresence().name).toEqualTypeOf<string | undefined>()
  expectTypeOf(room.getOthers()[0]?.presence.cursor).toEqualTypeOf<{ x: number } | null | undefined>()
  const list = room.newList<number>('l')
  room.subscribe(list, (item, change) => {
    expectTypeOf(item).toEqualTypeOf<SyncedList<number>>()
    expectTypeOf(change.local).toEqualTypeOf<boolean>()
  })
  room.subscribe('broadcast', (event, from) => {
    expectTypeOf(event).toEqualTypeOf<{ type: 'hi' }>()
    expectTypeOf(from.userId).toEqualTypeOf<string>()
  })
  room.subscribe('others', others => { expectTypeOf(others[0]!.clientId).toEqualTypeOf<number>() })
  const wrong = (): void => {
    // @ts-expect-error no such presence
    room.updatePresence({ color: 'red' })
    // @ts-expect-error no such event
    room.broadcast({ type: 'ho' })
    // @ts-expect-error no such topic
    room.subscribe('other', () => {})
  }
  expectTypeOf(wrong).toBeFunction()
})

test('without a type everything is allowed, as in JavaScript', () => {
  const room = offline()
  const list = room.newList('l')
  list.push(1, 'two', { three: [3] })
  room.newMap('m').set('any', [1]).set('key', null)
  expectTypeOf(list.get(0)).toBeAny
})
