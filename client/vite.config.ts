import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** One file for each entry of package.json's `exports`, and the layers in files of their own: a page without rooms drops theirs
 * whole. They lie beside their types: `./room.js` beside `./room/index.d.ts` would hide the types from TypeScript. */
const entries = { index: 'src/index.ts', 'provider/index': 'src/provider/index.ts', 'room/index': 'src/room/index.ts', testing: 'src/testing/index.ts', 'y-websocket': 'src/shim/symphony-socket.js', react: 'src/react/index.ts' }
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  build: {
    target: 'es2022',
    minify: false, // the app's bundler does it
    sourcemap: true,
    lib: {
      entry: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, here(path)]).filter(([, path]) => existsSync(path!))),
      formats: ['es']
    },
    rollupOptions: {
      external: [/^node:/, /^(yjs|lib0|y-protocols|idb|react|react-dom)(\/|$)/],
      output: { chunkFileNames: 'chunks/[name]-[hash].js' }
    }
  }
})
