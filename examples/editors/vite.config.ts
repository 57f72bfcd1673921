import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // so that the built page can lie anywhere
  build: { target: 'es2022', chunkSizeWarningLimit: 1500 },
  // One copy of each, although the client beside us has its own for its tests: Yjs
  // must not be loaded twice.
  resolve: { dedupe: ['yjs', 'lib0', 'y-protocols', 'react', 'react-dom'] },
  // `npm run dev` passes the WebSocket on to `make local`.
  server: { proxy: { '/dev': { target: 'ws://127.0.0.1:8787', ws: true } } }
})
