/**
 * The order of a list in which something was moved.
 *
 * Yjs cannot move. To delete an element and insert it again elsewhere would lose
 * the edits that others make to it meanwhile, and two people who move it at once
 * would have it twice. So an element stays where it is, and a mark among the
 * elements says where it shows: `{ $move: [client, clock], n }`, which names the
 * element by its Yjs id. Of several marks for one element the one with the
 * highest n counts (then the highest id of its own), on every client the same. A
 * mark whose element was deleted shows nothing. (Kleppmann, "Moving elements in
 * list CRDTs", 2020, with the register read off the list itself.)
 *
 * A list in which nothing was ever moved has no marks and is a plain Y.Array.
 */

import * as Y from 'yjs'
import type { Space } from './space'

/** One element that shows. Positions are indexes of the Y.Array. */
export interface Entry {
  value: unknown
  /** Where it shows: its own position or its mark's. */
  shown: number
  /** Where the element is. */
  home: number
  /** Where marks for it are. */
  marks: number[]
  /** The element's id. */
  client: number
  clock: number
  /** The highest n of its marks, 0 without any. */
  n: number
}

export interface View {
  entries: Entry[]
  /** Of nested types, for paths; made when needed. */
  index: Map<unknown, number> | null
}

interface Mark {
  $move: [client: number, clock: number]
  n: number
}

interface Found extends Mark {
  at: number
  client: number
  clock: number
}

/** True for what `mark` makes; plain objects put in by an app become maps, so nothing else looks like it. */
export function isMark (value: unknown): value is Mark {
  if (typeof value !== 'object' || value === null) return false
  const { $move, n } = value as Partial<Mark>
  return Array.isArray($move) && $move.length === 2 && $move.every(Number.isSafeInteger) && Number.isSafeInteger(n)
}

/** The mark that shows an element here from now on. */
export function mark ({ client, clock, n }: Pick<Entry, 'client' | 'clock' | 'n'>): Mark {
  return { $move: [client, clock], n: n + 1 }
}

/** Walks the elements, marks included, with their positions and ids. */
export function walk (list: Y.Array<unknown>, visit: (value: unknown, at: number, client: number, clock: number) => void): void {
  let at = 0
  for (let item = list._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    const content = item.content.getContent()
    for (let n = 0; n < content.length; n++) visit(content[n], at++, item.id.client, item.id.clock + n)
  }
}

/** The order of a list with marks, remembered until the list changes. */
export function viewOf (space: Space, list: Y.Array<unknown>): View {
  let view = space.views.get(list)
  if (view === undefined) space.views.set(list, view = { entries: order(list), index: null })
  return view
}

function order (list: Y.Array<unknown>): Entry[] {
  const winners = new Map<number, Map<number, Found>>()
  const marks: Found[] = []
  walk(list, (value, at, client, clock) => {
    if (!isMark(value)) return
    const found = { ...value, at, client, clock }
    marks.push(found)
    const [target, of] = found.$move
    let clocks = winners.get(target)
    if (clocks === undefined) winners.set(target, clocks = new Map())
    const best = clocks.get(of)
    if (best === undefined || beats(found, best)) clocks.set(of, found)
  })
  const entries: Array<Entry | null> = []
  const places = new Map<Found, number>()
  const byMark = new Map<Found, Entry>()
  let next = 0
  walk(list, (value, at, client, clock) => {
    const own = marks[next]?.at === at ? marks[next++] : undefined
    if (own !== undefined) {
      if (winners.get(own.$move[0])!.get(own.$move[1]) !== own) return
      places.set(own, entries.length)
      entries.push(null)
      return
    }
    const winner = winners.get(client)?.get(clock)
    const entry: Entry = { value, shown: winner?.at ?? at, home: at, marks: [], client, clock, n: winner?.n ?? 0 }
    if (winner === undefined) entries.push(entry)
    else byMark.set(winner, entry)
  })
  for (const [found, place] of places) entries[place] = byMark.get(found) ?? null
  for (const found of marks) byMark.get(winners.get(found.$move[0])!.get(found.$move[1])!)?.marks.push(found.at)
  return entries.filter(entry => entry !== null)
}

function beats (a: Found, b: Found): boolean {
  return a.n !== b.n ? a.n > b.n : a.client !== b.client ? a.client > b.client : a.clock > b.clock
}

/** Deletes positions of a Y.Array, from the end so that the others stay what they are. */
export function deleteAt (list: Y.Array<unknown>, positions: number[]): void {
  const down = positions.sort((a, b) => b - a)
  for (let i = 0; i < down.length;) {
    let length = 1
    while (i + length < down.length && down[i + length] === down[i]! - length) length++
    list.delete(down[i]! - length + 1, length)
    i += length
  }
}
