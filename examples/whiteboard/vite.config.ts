import { defineConfig } from 'vitest/config'

// Relative, so that the built page can lie anywhere. `npm run dev` passes the
// WebSocket on to `make local`.
export default defineConfig({
  base: './',
  // The client is linked from beside this folder, where Yjs lies a second time.
  resolve: { dedupe: ['yjs', 'y-protocols', 'lib0'] },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // A bound for a broken run on a slow machine; nothing is asserted about time.
  test: { include: ['unit/**/*.test.ts'], testTimeout: 120_000 },
  server: { proxy: { '/dev': { target: 'ws://127.0.0.1:8787', ws: true } } }
})
