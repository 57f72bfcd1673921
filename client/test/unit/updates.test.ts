// What an update contains, against a model that looks at every clock.

import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { isContained, isEmptyUpdate, mergeUpdates } from '../../src/provider/updates'
import { random, seed } from '../e2e/random'
import { EMPTY, NONE } from './world'

/** Every struct and deletion of updates, clock by clock. */
function clocks (updates: Uint8Array[]): Set<string> {
  const all = new Set<string>()
  for (const update of updates.filter(update => !isEmptyUpdate(update))) {
    const { structs, ds } = Y.decodeUpdate(update)
    for (const struct of structs) {
      if (!(struct instanceof Y.Skip)) for (let at = 0; at < struct.length; at++) all.add(`s ${struct.id.client} ${struct.id.clock + at}`)
    }
    for (const [client, items] of ds.clients) for (const { clock, len } of items) for (let at = 0; at < len; at++) all.add(`d ${client} ${clock + at}`)
  }
  return all
}

test('isContained is right about random updates', () => {
  const r = random(seed)
  let yes = 0
  for (let round = 0; round < 400; round++) {
    const docs = [new Y.Doc(), new Y.Doc()]
    const updates: Uint8Array[] = []
    for (const doc of docs) doc.on('update', (update: Uint8Array) => { updates.push(update) })
    for (let at = 0; at < 12; at++) {
      const doc = docs[r.below(2)]!
      const text = doc.getText('t')
      if (text.length > 2 && r.chance(0.4)) text.delete(r.below(text.length - 1), 1)
      else text.insert(r.below(text.length + 1), 'ab')
      if (r.chance(0.2)) Y.applyUpdate(docs[0]!, Y.encodeStateAsUpdate(docs[1]!))
    }
    const pick = (): Uint8Array[] => updates.filter(() => r.chance(0.7))
    const whole = Y.encodeStateAsUpdate(docs[0]!)
    const update = [whole, EMPTY, NONE, mergeUpdates(updates), updates[r.below(updates.length)]!, Y.diffUpdate(whole, Y.encodeStateVector(docs[1]!))][r.below(6)]!
    const known = [pick(), [mergeUpdates(updates)], [], [whole, ...pick()]][r.below(4)]!
    const have = clocks(known)
    const expected = [...clocks([update])].every(clock => have.has(clock))
    if (isEmptyUpdate(update)) continue // asked of no empty one
    expect(isContained(update, known), `seed ${seed}, round ${round}`).toBe(expected)
    if (expected) yes++
  }
  expect(yes).toBeGreaterThan(20)
})
