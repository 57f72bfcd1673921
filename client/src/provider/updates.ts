/** Questions about Yjs updates that need no document. */

import * as Y from 'yjs'

type DeleteSet = ReturnType<typeof Y.createDeleteSet>

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
  const have = contents(known)
  return contents([update]).every((wanted, kind) => Y.equalDeleteSets(Y.mergeDeleteSets([have[kind]!, wanted]), Y.mergeDeleteSets([have[kind]!])))
}

/** The structs and the deletions of updates; both are sets of clock ranges. */
function contents (updates: Uint8Array[]): [structs: DeleteSet, deletions: DeleteSet] {
  const decoded = updates.filter(update => !isEmptyUpdate(update)).map(update => Y.decodeUpdate(update))
  const structs: DeleteSet = Y.createDeleteSet()
  for (const struct of decoded.flatMap(update => update.structs)) {
    if (struct instanceof Y.Skip) continue // a hole, not content
    const { client, clock } = struct.id
    const ranges = structs.clients.get(client) ?? []
    structs.clients.set(client, ranges)
    ranges.push({ clock, len: struct.length })
  }
  return [structs, Y.mergeDeleteSets(decoded.map(({ ds }) => ds))]
}
