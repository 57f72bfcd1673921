// Work that Go is compared with, timed in here: no bytes travel while the clock runs.
import * as Y from 'yjs'
import { spawnSync } from 'node:child_process'
import { bytesOf } from './values.mjs'
import { rootTypes } from './describe.mjs'

const fresh = root => {
  const doc = new Y.Doc()
  doc.clientID = 77
  if (root) doc.get(root, rootTypes[root[0]])
  return doc
}
const loadAll = (updates, root) => {
  const doc = fresh(root)
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

// tasks return the work to be timed; what they do before that is not.
const tasks = {
  apply: (u, q) => () => loadAll(u, q.root),
  merge: u => () => Y.mergeUpdates(u),
  diff: (u, q) => { const v = bytesOf(q.vector); return () => Y.diffUpdate(u[0], v) },
  vector: u => () => Y.encodeStateVectorFromUpdate(u[0]),
  // Yjs compacts by loading into a document and encoding that.
  compact: u => () => Y.encodeStateAsUpdate(loadAll(u)),
  read: (u, q) => () => JSON.stringify(loadAll(u, q.root).share.get(q.root).toJSON()),
  // The index is made for random places, as large as the list allows.
  deleteText: (u, q) => { const doc = loadAll(u, 't'); const t = doc.getText('t'); return () => { for (const p of q.places) t.delete(Math.floor(p * t.length), 1) } },
  insertArray: (u, q) => { const doc = loadAll(u, 'a'); const a = doc.getArray('a'); return () => { for (const p of q.places) a.insert(Math.floor(p * (a.length + 1)), [1]) } }
}

const median = list => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]

// bench answers the median time of a task in milliseconds, after warm runs.
export const bench = q => {
  if (q.task === 'mergeOnce') return mergeOnce(q)
  const updates = q.updates.map(bytesOf)
  for (let i = 0; i < q.warm; i++) tasks[q.task](updates, q)()
  const times = []
  for (let i = 0; i < q.runs; i++) {
    const work = tasks[q.task](updates, q)
    if (globalThis.gc) globalThis.gc()
    const start = performance.now()
    work()
    times.push(performance.now() - start)
  }
  return { ms: median(times) }
}

// mergeOnce answers how long merging takes in a process of its own, and by how many bytes its memory grows at most.
const mergeOnce = q => {
  const input = Buffer.concat(q.updates.flatMap(text => {
    const u = bytesOf(text)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(u.length)
    return [length, u]
  }))
  const child = spawnSync(process.execPath, ['--max-old-space-size=4096', '--expose-gc', new URL('./peak.mjs', import.meta.url).pathname], { input, maxBuffer: 1 << 20 })
  if (child.status !== 0) throw new Error(String(child.stderr))
  return JSON.parse(String(child.stdout))
}
