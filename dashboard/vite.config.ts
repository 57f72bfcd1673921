import { defineConfig } from 'vitest/config'

// Built into a folder below dist, so that what stands in for an unbuilt page is
// left alone. `npm run dev` passes the figures on from `make local`.
export default defineConfig({
  base: '/',
  build: { outDir: 'dist/app', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8788', changeOrigin: true } } },
  // A bound for a broken run on a slow machine; nothing is asserted about time.
  test: { testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false }
})
