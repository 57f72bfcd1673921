// Reads updates, each behind its length in four bytes, merges them, and prints how long that took in milliseconds and by how many bytes the
// resident size of the process has grown at most meanwhile (Linux only, zero elsewhere).
import * as Y from 'yjs'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const linux = existsSync('/proc/self/clear_refs')
const resident = name => linux ? 1024 * Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(name + ':\\s+(\\d+)'))[1]) : 0

const input = readFileSync(0) // outside of the heap, so that the heap has not grown before it is measured
const updates = []
for (let at = 0; at < input.length;) {
  const end = at + 4 + input.readUInt32BE(at)
  updates.push(new Uint8Array(input.buffer, input.byteOffset + at + 4, end - at - 4))
  at = end
}
Y.mergeUpdates(updates.slice(0, 2)) // code that is compiled once does not count
globalThis.gc()
const before = resident('VmRSS')
if (linux) writeFileSync('/proc/self/clear_refs', '5')
const start = performance.now()
Y.mergeUpdates(updates)
const ms = performance.now() - start
process.stdout.write(JSON.stringify({ ms, peak: resident('VmHWM') - before }))
