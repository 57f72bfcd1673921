// What the provider weighs in a page, minified and gzipped: with y-protocols and
// idb, without yjs and lib0, which yjs brings along. Fails above the limit.

import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const LIMIT = 12 * 1024

const result = await build({
  configFile: false,
  logLevel: 'error',
  build: {
    write: false,
    target: 'es2022',
    minify: true,
    modulePreload: false,
    rollupOptions: {
      preserveEntrySignatures: 'exports-only',
      input: { core: 'virtual:core' },
      external: [/^yjs$/, /^lib0(\/|$)/]
    }
  },
  plugins: [{
    name: 'core',
    resolveId: id => id === 'virtual:core' ? id : null,
    load: id => id === 'virtual:core' ? `export { SymphonyProvider } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).pathname)}` : null
  }]
})
const files = [result].flat().flatMap(({ output }) => output).filter(({ type }) => type === 'chunk')
let total = 0
for (const { fileName, code } of files) {
  const size = gzipSync(code, { level: 9 }).length
  total += size
  console.log(`${fileName}: ${code.length} bytes minified, ${size} gzipped`)
}
console.log(`core provider: ${total} bytes gzipped without yjs, of ${LIMIT}`)
if (total > LIMIT) {
  console.error(`the core provider is over ${LIMIT} bytes`)
  process.exit(1)
}
