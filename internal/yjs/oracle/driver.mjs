// Answers questions of the Go tests with real Yjs: one JSON request {"op": name, ...} a line in, one JSON answer
// {"ok": result} or {"error": text} a line out, in the same order. Bytes travel as base64. See ops for what can be asked.
import * as Y from 'yjs'
import * as awareness from 'y-protocols/awareness'
import { createInterface } from 'node:readline'
import { bytesOf, textOf } from './values.mjs'
import { load } from './describe.mjs'
import { session } from './session.mjs'
import { wild } from './wild.mjs'
import { edit } from './edit.mjs'
import { bench } from './bench.mjs'

const attempt = f => {
  try { f(); return '' } catch (e) { return String((e && e.message) || e) || 'error' }
}

// accepts says why Yjs refuses an update, '' when it does not. What it keeps as pending is accepted.
const accepts = data => attempt(() => { Y.decodeUpdate(data); Y.applyUpdate(new Y.Doc(), data) })
const acceptsV2 = data => attempt(() => { Y.convertUpdateFormatV2ToV1(data); Y.applyUpdateV2(new Y.Doc(), data) })

// readAwareness applies awareness updates to a table whose own client is local (none when it is missing).
const readAwareness = q => {
  const doc = new Y.Doc()
  doc.clientID = q.local ?? -1
  const table = new awareness.Awareness(doc)
  if (q.local === undefined) { table.states.clear(); table.meta.clear() }
  for (const state of q.localStates ?? []) table.setLocalState(state)
  const changes = []
  table.on('update', ({ added, updated, removed }) => changes.push({ added, updated, removed }))
  const errors = []
  for (const step of q.steps) {
    const before = changes.length
    errors.push(attempt(() => {
      if (step.update !== undefined) awareness.applyAwarenessUpdate(table, bytesOf(step.update), 'remote')
      if (step.remove !== undefined) awareness.removeAwarenessStates(table, step.remove, 'remote')
      if (step.set !== undefined) table.setLocalState(step.set)
    }))
    if (changes.length === before) changes.push({ added: [], updated: [], removed: [] })
  }
  clearInterval(table._checkInterval)
  const clients = [...table.meta.keys()].sort((a, b) => a - b)
  return {
    changes, errors,
    clocks: clients.map(c => [c, table.meta.get(c).clock]),
    states: clients.filter(c => table.states.has(c)).map(c => [c, JSON.stringify(table.states.get(c))]),
    update: textOf(awareness.encodeAwarenessUpdate(table, clients))
  }
}

const ops = {
  session: q => session(q),
  // sessions plays several sessions in one go, with wild those of wild.mjs.
  sessions: q => q.seeds.map(seed => (q.wild ? wild : session)({ ...q, seed })),
  // load applies updates and describes the document; loads does so for several lists.
  load: q => load(q),
  loads: q => q.loads.map(load),
  merge: q => textOf(Y.mergeUpdates((q.updates ?? []).map(bytesOf))),
  diff: q => (q.vectors ?? []).map(v => textOf(Y.diffUpdate(bytesOf(q.update), bytesOf(v)))),
  vectors: q => (q.updates ?? []).map(u => textOf(Y.encodeStateVectorFromUpdate(bytesOf(u)))),
  toV1: q => (q.updates ?? []).map(u => textOf(Y.convertUpdateFormatV2ToV1(bytesOf(u)))),
  toV2: q => (q.updates ?? []).map(u => textOf(Y.convertUpdateFormatV1ToV2(bytesOf(u)))),
  accepts: q => (q.updates ?? []).map(u => accepts(bytesOf(u))),
  acceptsV2: q => (q.updates ?? []).map(u => acceptsV2(bytesOf(u))),
  awareness: q => readAwareness(q),
  // edit makes edits as op load's document.
  edit: q => edit(q),
  // batch answers several requests at once.
  batch: q => q.requests.map(answer),
  bench: q => bench(q)
}

const answer = q => {
  try {
    return { ok: ops[q.op](q) ?? null }
  } catch (e) {
    return { error: String((e && e.stack) || e) }
  }
}

console.error = console.log = console.warn = console.info = () => {}
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
}
