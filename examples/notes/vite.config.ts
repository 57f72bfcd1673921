import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // so that the built page can lie anywhere
  plugins: [react()],
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  // One copy of each: Yjs and React must not be loaded twice.
  resolve: { dedupe: ['yjs', 'lib0', 'y-protocols', 'react', 'react-dom'] },
  // `npm run dev` passes the WebSocket on to `make local`.
  server: { proxy: { '/dev': { target: 'ws://127.0.0.1:8787', ws: true } } }
})
