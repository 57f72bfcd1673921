/** A shared list with an Array's methods. */

import * as Y from 'yjs'
import { Conversion } from './convert'
import { draft } from './draft'
import { equal } from './equal'
import { IndexError } from './errors'
import { History } from './history'
import { deleteAt, type Entry, mark, viewOf } from './order'
import type { Space } from './space'
import { assertAttached, spaceOf, Synced, typeOf } from './synced'
import type { Input, Live, Plain } from './types'
import { elements, frozen, plain, wrap } from './wrap'

/** What callbacks of a list's methods get, as those of an Array's. */
type Visit<T, R> = (value: Live<T>, index: number, list: SyncedList<T>) => R

const arrayOf = (list: SyncedList<any>): Y.Array<unknown> => typeOf(list) as Y.Array<unknown>

/**
 * A list that everybody in the room shares. It answers as an Array does; what
 * others change shows up by itself.
 *
 * Plain objects and arrays that are put in become nested values, so that two
 * people can change two fields of one at the same time. `get`, iteration and
 * callbacks hand these out alive; `toArray` and `toJSON` are plain JSON.
 *
 * @example
 * const todos = room.newList<{ text: string, done: boolean }>('todos')
 * todos.push({ text: 'buy milk', done: false })
 * todos.get(0)?.set('done', true)
 * todos.toArray() // [{ text: 'buy milk', done: true }]
 */
export class SyncedList<T = any> extends Synced implements Iterable<Live<T>> {
  /** @internal */
  constructor (type: Y.Array<unknown>, space: Space) {
    super(type, space)
  }

  /** For type inference only. @internal */
  declare readonly __element?: T

  override get yjs (): Y.Array<unknown> {
    return arrayOf(this)
  }

  /**
   * How many elements there are.
   * @example
   * todos.length // 3
   */
  get length (): number {
    const list = arrayOf(this)
    const space = spaceOf(this)
    return space.moved.has(list) ? viewOf(space, list).entries.length : list.length
  }

  /**
   * The element at an index; undefined where there is none.
   * @example
   * todos.get(0)
   */
  get (index: number): Live<T> | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) return undefined
    const list = arrayOf(this)
    const space = spaceOf(this)
    const value = space.moved.has(list) ? viewOf(space, list).entries[index]!.value : list.get(index)
    return wrap(value, space) as Live<T>
  }

  /**
   * The element at an index, counted from the end when it is negative.
   * @example
   * todos.at(-1) // the last one
   */
  at (index: number): Live<T> | undefined {
    const whole = Math.trunc(index) || 0
    return this.get(whole < 0 ? this.length + whole : whole)
  }

  /**
   * Adds elements at the end. Returns the new length.
   * @example
   * todos.push({ text: 'buy milk', done: false })
   */
  push (...values: Array<Input<T>>): number {
    this.#insert(null, values)
    return this.length
  }

  /**
   * Adds elements at the beginning. Returns the new length.
   * @example
   * todos.unshift({ text: 'first of all', done: false })
   */
  unshift (...values: Array<Input<T>>): number {
    this.#insert(0, values)
    return this.length
  }

  /**
   * Adds elements before the one at an index.
   * Throws an IndexError unless 0 <= index <= length.
   * @example
   * todos.insert(1, { text: 'second', done: false }, { text: 'third', done: false })
   */
  insert (index: number, ...values: Array<Input<T>>): void {
    this.#insert(this.#check(index, 1), values)
  }

  /**
   * Replaces the element at an index. To change one field of an object, change the object instead:
   * `list.get(i)?.set(…)`.
   * Throws an IndexError unless 0 <= index < length.
   * @example
   * numbers.set(0, 42)
   */
  set (index: number, value: Input<T>): void {
    this.#check(index)
    const conversion = new Conversion(spaceOf(this))
    const content = [conversion.value(value)]
    this.#change((list, entries) => {
      const old = entries === null ? null : entries[index]!
      list.insert((old?.shown ?? index) + 1, content)
      if (old === null) list.delete(index)
      else remove(list, [old], old.shown + 1)
    })
    conversion.settle()
  }

  /**
   * Takes out `count` elements from an index on, or as many as there are.
   * Throws an IndexError unless 0 <= index < length.
   * @example
   * todos.delete(0)
   * todos.delete(2, 5)
   */
  delete (index: number, count = 1): void {
    this.#check(index)
    if (!Number.isInteger(count) || count < 0) throw new IndexError(`Symphony: ${count} is no number of elements`)
    const end = Math.min(index + count, this.length)
    this.#change((list, entries) => {
      if (entries === null) list.delete(index, end - index)
      else remove(list, entries.slice(index, end))
    })
  }

  /**
   * Takes the last element out and returns it as plain JSON; undefined when the list is empty.
   * @example
   * stack.pop()
   */
  pop (): Plain<T> | undefined {
    return this.#take(this.length - 1)
  }

  /**
   * Takes the first element out and returns it as plain JSON; undefined when the list is empty.
   * @example
   * queue.shift()
   */
  shift (): Plain<T> | undefined {
    return this.#take(0)
  }

  /**
   * Takes everything out.
   * @example
   * todos.clear()
   */
  clear (): void {
    this.#change(list => { list.delete(0, list.length) })
  }

  /**
   * Moves an element, so that it has the index `to` afterwards. What is nested in it stays alive, edits that others make to
   * it meanwhile are kept, and when two people move it at once it ends up where one of them put it.
   * Throws an IndexError unless both are indexes of elements.
   * @example
   * todos.move(0, todos.length - 1) // to the end
   */
  move (from: number, to: number): void {
    this.#check(from)
    this.#check(to)
    if (from === to) {
      this.#change(() => {})
      return
    }
    this.#change((list, _, space) => {
      const entries = [...viewOf(space, list).entries]
      const [moved] = entries.splice(from, 1)
      // Beside the element that it is to stand next to, on the side it comes from.
      const at = to === 0 ? entries[0]!.shown : entries[to - 1]!.shown + 1
      list.insert(at, [mark(moved!)])
      deleteAt(list, moved!.marks.map(old => old < at ? old : old + 1))
      space.moved.add(list)
    })
  }

  // Questions, as of an Array.

  /**
   * The first element that passes; undefined when none does.
   * @example
   * todos.find(todo => todo.get('done') === false)
   */
  find (test: Visit<T, unknown>): Live<T> | undefined {
    return this.#live().find((value, at) => test(value, at, this))
  }

  /**
   * The index of the first element that passes; -1 when none does.
   * @example
   * todos.findIndex(todo => todo.get('text') === 'buy milk')
   */
  findIndex (test: Visit<T, unknown>): number {
    return this.#live().findIndex((value, at) => test(value, at, this))
  }

  /**
   * The first index of a value, -1 when it is not there. Objects and arrays are the same when they are equal as JSON;
   * a nested value is the same only as itself.
   * @example
   * names.indexOf('Ada')
   * todos.indexOf(todo) // where is this one?
   */
  indexOf (value: Live<T> | Input<T>, from = 0): number {
    return this.#search(value, values => values.indexOf(value, from), same => {
      const length = this.length
      for (let at = from < 0 ? Math.max(length + Math.trunc(from), 0) : Math.trunc(from) || 0; at < length; at++) if (same(at)) return at
      return -1
    })
  }

  /**
   * The last index of a value, -1 when it is not there.
   * @example
   * names.lastIndexOf('Ada')
   */
  lastIndexOf (value: Live<T> | Input<T>, from = this.length - 1): number {
    return this.#search(value, values => values.lastIndexOf(value, from), same => {
      const length = this.length
      for (let at = from < 0 ? length + Math.trunc(from) : Math.min(Math.trunc(from) || 0, length - 1); at >= 0; at--) if (same(at)) return at
      return -1
    })
  }

  /**
   * Whether a value is in the list, compared as `indexOf` does.
   * @example
   * names.includes('Ada')
   */
  includes (value: Live<T> | Input<T>, from = 0): boolean {
    return this.indexOf(value, from) >= 0
  }

  /**
   * Whether all elements pass.
   * @example
   * todos.every(todo => todo.get('done'))
   */
  every (test: Visit<T, unknown>): boolean {
    return this.#live().every((value, at) => test(value, at, this))
  }

  /**
   * Whether any element passes.
   * @example
   * todos.some(todo => todo.get('done'))
   */
  some (test: Visit<T, unknown>): boolean {
    return this.#live().some((value, at) => test(value, at, this))
  }

  /**
   * The elements that pass.
   * @example
   * const open = todos.filter(todo => !todo.get('done'))
   */
  filter (test: Visit<T, unknown>): Array<Live<T>> {
    return this.#live().filter((value, at) => test(value, at, this))
  }

  /**
   * What a function makes of each element.
   * @example
   * const texts = todos.map(todo => todo.get('text'))
   */
  map<R> (make: Visit<T, R>): R[] {
    return this.#live().map((value, at) => make(value, at, this))
  }

  /**
   * Folds the elements to one value, as an Array's reduce with an initial value.
   * @example
   * const open = todos.reduce((sum, todo) => sum + (todo.get('done') ? 0 : 1), 0)
   */
  reduce<R> (fold: (before: R, value: Live<T>, index: number, list: SyncedList<T>) => R, initial: R): R {
    return this.#live().reduce((before, value, at) => fold(before, value, at, this), initial)
  }

  /**
   * Calls a function with each element.
   * @example
   * todos.forEach((todo, index) => console.log(index, todo.get('text')))
   */
  forEach (visit: Visit<T, void>): void {
    this.#live().forEach((value, at) => { visit(value, at, this) })
  }

  /**
   * The elements from `start` up to but not including `end`, both counted from the end when negative.
   * @example
   * todos.slice(0, 10)
   */
  slice (start?: number, end?: number): Array<Live<T>> {
    return this.#live().slice(start, end)
  }

  /**
   * An iterator of the elements.
   * @example
   * for (const todo of todos.values()) console.log(todo.get('text'))
   */
  values (): ArrayIterator<Live<T>> {
    return this.#live().values()
  }

  /**
   * An iterator of the indexes.
   * @example
   * for (const index of todos.keys()) console.log(index)
   */
  keys (): ArrayIterator<number> {
    return this.#live().keys()
  }

  /**
   * An iterator of indexes with their elements.
   * @example
   * for (const [index, todo] of todos.entries()) console.log(index, todo.get('text'))
   */
  entries (): ArrayIterator<[number, Live<T>]> {
    return this.#live().entries()
  }

  /**
   * Iterates over the elements as they are now.
   * @example
   * for (const todo of todos) console.log(todo.get('text'))
   */
  [Symbol.iterator] (): ArrayIterator<Live<T>> {
    return this.values()
  }

  /**
   * A copy as plain JSON. (`[...list]` has the nested values alive.)
   * @example
   * todos.toArray() // [{ text: 'buy milk', done: false }]
   */
  toArray (): Array<Plain<T>> {
    return plain(arrayOf(this), spaceOf(this)) as Array<Plain<T>>
  }

  /**
   * A copy as plain JSON; `JSON.stringify(list)` works.
   * @example
   * todos.toJSON() // [{ text: 'buy milk', done: false }]
   */
  toJSON (): Array<Plain<T>> {
    return this.toArray()
  }

  /**
   * Plain JSON, frozen, and the same object until something in it changes: cheap to ask for often and to compare.
   * @example
   * todos.toImmutable() === todos.toImmutable() // true
   */
  toImmutable (): ReadonlyArray<Plain<T>> {
    return frozen(arrayOf(this), spaceOf(this)) as ReadonlyArray<Plain<T>>
  }

  /**
   * A new list with the same content that is in no place yet.
   * @example
   * boards.push(template.copy())
   */
  copy (): SyncedList<T> {
    return draft(conversion => conversion.copy(arrayOf(this), spaceOf(this)))
  }

  /**
   * A history of the changes to this list only.
   * @param captureTimeout changes less than so many milliseconds apart are one step
   * @example
   * const history = todos.newHistory()
   * history.undo()
   */
  newHistory (captureTimeout = 0): History {
    return new History(spaceOf(this), [arrayOf(this)], { captureTimeout })
  }

  #live (): Array<Live<T>> {
    const space = spaceOf(this)
    return elements(arrayOf(this), space).map(value => wrap(value, space) as Live<T>)
  }

  /** Nested values and primitives are looked for as they are; JSON by equality. */
  #search (value: unknown, direct: (values: unknown[]) => number, json: (same: (at: number) => boolean) => number): number {
    if (typeof value !== 'object' || value === null || value instanceof Synced) return direct(this.#live())
    const space = spaceOf(this)
    const all = elements(arrayOf(this), space)
    return json(at => all[at] instanceof Y.AbstractType && equal(frozen(all[at], space), value))
  }

  #check (index: number, beyond = 0): number {
    const { length } = this
    if (Number.isInteger(index) && index >= 0 && index < length + beyond) return index
    throw new IndexError(`Symphony: index ${index} is not in a list of ${length}`)
  }

  #take (index: number): Plain<T> | undefined {
    if (index < 0 || index >= this.length) return undefined
    const space = spaceOf(this)
    const list = arrayOf(this)
    const value = plain(space.moved.has(list) ? viewOf(space, list).entries[index]!.value : list.get(index), space)
    this.delete(index)
    return value as Plain<T>
  }

  #insert (index: number | null, values: unknown[]): void {
    const conversion = new Conversion(spaceOf(this))
    const content = values.map((value, at) => conversion.value(value, values.length === 1 ? undefined : `value ${at + 1}`))
    this.#change((list, entries) => {
      if (content.length === 0) return
      // Not Y.Array's push: it looks for the end from wherever it last was, which makes a loop of pushes quadratic.
      if (index === null || index === entries?.length) list.insert(list.length, content)
      else if (entries === null) list.insert(index, content)
      else list.insert(index === 0 ? 0 : entries[index - 1]!.shown + 1, content)
    })
    conversion.settle()
  }

  /** Runs a change; entries are those of a list in which something was moved. */
  #change (run: (list: Y.Array<unknown>, entries: Entry[] | null, space: Space) => void): void {
    assertAttached(this)
    const space = spaceOf(this)
    const list = arrayOf(this)
    space.change(() => {
      run(list, space.moved.has(list) ? viewOf(space, list).entries : null, space)
      space.touch(list)
    })
  }
}

/** Takes elements out with their marks. Positions from `grown` on are one higher than the entries say. */
function remove (list: Y.Array<unknown>, entries: Entry[], grown = Infinity): void {
  deleteAt(list, entries.flatMap(({ home, marks }) => [home, ...marks]).map(at => at < grown ? at : at + 1))
}
