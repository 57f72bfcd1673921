/** Questions about Yjs updates that need no document. */

import * as Y from 'yjs'

/** Half-open clock ranges of one Yjs client, in order and apart from each other. */
type Ranges = Array<[from: number, to: number]>

/** True for an update with neither structs nor deletions. */
export function isEmptyUpdate (update: Uint8Array): boolean {
  return update.length === 0 || (update.length === 2 && update[0] === 0 && update[1] === 0)
}

/** Merges, and leaves a single update alone. */
export function mergeUpdates (updates: Uint8Array[]): Uint8Array {
  return updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates)
}

/**
 * True when every struct and every deletion of `update` is in one of `known`.
 *
 * `Y.encodeStateAsUpdate(doc, vector)` always has the document's whole delete
 * set; asked this way a client notices that nothing in it is news.
 */
export function isContained (update: Uint8Array, known: Uint8Array[]): boolean {
  const wanted = contents([update])
  const have = contents(known.filter(one => !isEmptyUpdate(one)))
  return covers(have.structs, wanted.structs) && covers(have.deletions, wanted.deletions)
}

function contents (updates: Uint8Array[]): { structs: Map<number, Ranges>, deletions: Map<number, Ranges> } {
  const structs = new Map<number, Ranges>()
  const deletions = new Map<number, Ranges>()
  for (const update of updates) {
    const decoded = Y.decodeUpdate(update)
    for (const struct of decoded.structs) {
      if (struct instanceof Y.Skip) continue // a hole, not content
      add(structs, struct.id.client, struct.id.clock, struct.length)
    }
    for (const [client, items] of decoded.ds.clients) {
      for (const { clock, len } of items) add(deletions, client, clock, len)
    }
  }
  for (const map of [structs, deletions]) for (const [client, ranges] of map) map.set(client, joined(ranges))
  return { structs, deletions }
}

function add (map: Map<number, Ranges>, client: number, clock: number, length: number): void {
  const ranges = map.get(client)
  if (ranges === undefined) map.set(client, [[clock, clock + length]])
  else ranges.push([clock, clock + length])
}

function joined (ranges: Ranges): Ranges {
  const out: Ranges = []
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = out[out.length - 1]
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}

function covers (have: Map<number, Ranges>, wanted: Map<number, Ranges>): boolean {
  for (const [client, ranges] of wanted) {
    const there = have.get(client) ?? []
    let at = 0
    for (const [from, to] of ranges) {
      while (at < there.length && there[at]![1] < to) at++
      if (at === there.length || there[at]![0] > from) return false
    }
  }
  return true
}
