// What the provider weighs in a page, minified and gzipped, without yjs (and
// lib0, which yjs brings along). The core is what every page loads, y-protocols
// included; the offline store, idb included, is loaded when it is asked for.
// Fails when the core is over the limit.

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const LIMIT = 12 * 1024

const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url))
const bundle = await rolldown({
  input: 'core',
  external: [/^yjs$/, /^lib0(\/|$)/],
  plugins: [{
    name: 'core',
    resolveId: id => id === 'core' ? id : null,
    load: id => id === 'core' ? `import { SymphonyProvider } from ${JSON.stringify(entry)}; globalThis.app = SymphonyProvider` : null
  }]
})
const { output } = await bundle.generate({ format: 'es', minify: true, comments: false }) // annotations are for bundlers
const chunks = new Map(output.filter(({ type }) => type === 'chunk').map(chunk => [chunk.fileName, chunk]))
/** The entry and what it imports before it runs. */
const first = new Set()
const visit = name => {
  if (!chunks.has(name) || first.has(name)) return
  first.add(name)
  chunks.get(name).imports.forEach(visit)
}
for (const chunk of chunks.values()) if (chunk.isEntry) visit(chunk.fileName)
let core = 0
for (const chunk of chunks.values()) {
  const size = gzipSync(chunk.code, { level: 9 }).length
  if (first.has(chunk.fileName)) core += size
  console.log(`${first.has(chunk.fileName) ? 'core' : 'on demand'}, ${chunk.name}: ${size} bytes gzipped (${chunk.code.length} minified)`)
}
console.log(`core provider without yjs: ${core} of ${LIMIT} bytes`)
if (core > LIMIT) {
  console.error('the core provider is over its limit')
  process.exit(1)
}
