// Runs y-websocket's own server, unchanged and in memory: HOST and PORT in the
// environment, one line on standard output when it listens.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = dirname(createRequire(import.meta.url).resolve('@y/websocket-server/package.json'))
await import(pathToFileURL(join(folder, 'src', 'server.js')).href)
