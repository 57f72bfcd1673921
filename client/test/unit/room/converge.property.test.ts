// N clients, every kind of value, any order of delivery, every update once or twice: all see the same (P21).

import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { type Room, Synced, type SyncedList, type SyncedMap } from '../../../src'
import { offline } from './rooms'
import { check, json } from './seeded'

const CLIENTS = 4

/** One change of one client, then some deliveries. */
interface Step { who: number, what: string, where: number, a: number, b: number, value: unknown, deliveries: Array<{ pick: number, again: boolean }> }

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(CLIENTS - 1),
  what: fc.constantFrom('push', 'insert', 'set', 'delete', 'move', 'move', 'key', 'unkey', 'clear', 'text', 'cut', 'format', 'count', 'bundle', 'undo', 'redo'),
  where: fc.nat(),
  a: fc.nat(20),
  b: fc.nat(20),
  value: json,
  deliveries: fc.array(fc.record({ pick: fc.nat(), again: fc.boolean() }), { maxLength: 5 })
})

/** A list or map, at the top or nested somewhere. */
function containers (room: Room): Array<SyncedList | SyncedMap<any>> {
  const found: Array<SyncedList | SyncedMap<any>> = []
  const visit = (value: unknown): void => {
    if (!(value instanceof Synced) || !('values' in value)) return
    found.push(value as SyncedList)
    for (const inner of (value as SyncedList).values()) visit(inner)
  }
  visit(room.newList('list'))
  visit(room.newMap('map'))
  return found
}

function change (room: Room, { what, where, a, b, value }: Step): void {
  const all = containers(room)
  const at = all[where % all.length]!
  const list = 'push' in at ? at : null
  const map = list === null ? at as SyncedMap<any> : null
  const length = list?.length ?? 0
  const text = room.newText('text')
  switch (what) {
    case 'push': list?.push(value, value); break
    case 'insert': list?.insert(a % (length + 1), value); break
    case 'set': if (length > 0) list!.set(a % length, value); break
    case 'delete': if (length > 0) list!.delete(a % length, 1 + b % 2); break
    case 'move': if (length > 0) list!.move(a % length, b % length); break
    case 'key': map?.set(`k${a % 5}`, value as never); break
    case 'unkey': map?.delete(`k${a % 5}`); break
    case 'clear': if (b < 3) at.clear(); break
    case 'text': text.insert(a % (text.length + 1), `${b}`); break
    case 'cut': if (text.length > 0) text.delete(a % text.length); break
    case 'format': if (text.length > 0) text.format(0, 1 + a % text.length, { bold: b % 2 === 0 ? true : null }); break
    case 'count': room.newCounter('counter').increment(a - 10.5); break
    case 'undo': room.history.undo(); break
    case 'redo': room.history.redo(); break
    case 'bundle':
      room.bundle(() => {
        list?.push(value)
        map?.set('bundled', a)
        room.newText('text').append('.')
      })
  }
}

const state = (room: Room): unknown => [room.newList('list').toJSON(), room.newMap('map').toJSON(), `${room.newText('text')}`, room.newCounter('counter').value]

test(`P21: ${CLIENTS} clients converge, whatever arrives when and how often`, () => {
  check(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.array(fc.nat(), { maxLength: 200, size: 'max' }), (steps, rest) => {
    const rooms = Array.from({ length: CLIENTS }, () => offline())
    for (const room of rooms) state(room)
    const wire: Array<{ to: Room, update: Uint8Array }> = []
    for (const room of rooms) {
      room.doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin !== wire) for (const to of rooms) if (to !== room) wire.push({ to, update })
      })
    }
    const deliver = (pick: number, again = false): void => {
      if (wire.length === 0) return
      const at = pick % wire.length
      const { to, update } = wire[at]!
      if (!again) wire.splice(at, 1)
      Y.applyUpdate(to.doc, update, wire)
    }
    for (const one of steps) {
      change(rooms[one.who]!, one)
      for (const { pick, again } of one.deliveries) deliver(pick, again)
    }
    for (const pick of rest) deliver(pick)
    while (wire.length > 0) deliver(wire.length - 1)
    const [first, ...others] = rooms.map(state)
    for (const other of others) expect(other).toEqual(first)
    // And so does whoever comes later.
    const late = offline()
    Y.applyUpdate(late.doc, Y.encodeStateAsUpdate(rooms[1]!.doc))
    expect(state(late)).toEqual(first)
    // What is remembered of values is what they are.
    for (const room of rooms) expect(room.newList('list').toImmutable()).toEqual(room.newList('list').toJSON())
  }), 60)
})
