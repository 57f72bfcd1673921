/** The local server as a child process, for tests in Node. */

import type { ChildProcess } from 'node:child_process'

/** How long a start may take before it counts as failed. */
const READY_MS = 60_000

export interface LocalServerOptions {
  /** The symphony-local program. Default: $SYMPHONY_LOCAL, else build/symphony-local under the working folder or one above it. */
  binary?: string
  /** Further flags: see `symphony-local --help`. */
  args?: string[]
  /** Folder of the data; default: one of its own, removed by stop. */
  data?: string
  /** Gets what the server writes to standard error. */
  log?: (text: string) => void
}

/** A running symphony-local. */
export interface LocalServer {
  /** The page, `http://127.0.0.1:<port>/`. */
  readonly url: string
  /** The WebSocket URL, without a room. */
  readonly ws: string
  /** Folder of the data. */
  readonly data: string
  /** kill -9: no flush, no goodbye. */
  kill (): Promise<void>
  /** Starts it again on the same port and data. */
  restart (): Promise<void>
  /** Ends it and removes the folder it made. */
  stop (): Promise<void>
}

/** Starts a server with an embedded store on a free port. Rejects when it does not become ready. */
export async function startLocalServer (options: LocalServerOptions = {}): Promise<LocalServer> {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const binary = options.binary ?? process.env.SYMPHONY_LOCAL ?? await find()
  const folder = options.data === undefined ? await mkdtemp(join(tmpdir(), 'symphony-client-')) : null
  const data = options.data ?? join(folder!, 'store')
  const args = ['--data', data, '--stack', 'embedded', '--ready-json', '--log', 'error', ...(options.args ?? [])]
  const log = options.log ?? (() => {})
  let { child, ready } = await launch(binary, ['--port', '0', ...args], log)
  const port = new URL(ready.url).port
  return {
    url: ready.url,
    ws: ready.ws,
    data,
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      await end(child, 'SIGKILL')
      ;({ child, ready } = await launch(binary, ['--port', port, ...args], log))
    },
    stop: async () => {
      await end(child, 'SIGTERM')
      if (folder !== null) await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Looks for build/symphony-local upwards. */
async function find (): Promise<string> {
  const { existsSync } = await import('node:fs')
  const { dirname, join } = await import('node:path')
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const path = join(folder, 'build', 'symphony-local')
    if (existsSync(path)) return path
    if (folder === dirname(folder)) throw new Error('no build/symphony-local: run `make build`, or set SYMPHONY_LOCAL to the program')
  }
}

async function launch (binary: string, args: string[], log: (text: string) => void): Promise<{ child: ChildProcess, ready: { url: string, ws: string } }> {
  const { spawn } = await import('node:child_process')
  const { createInterface } = await import('node:readline')
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8000)
    log(chunk.toString())
  })
  const ready = await new Promise<{ url: string, ws: string }>((resolve, reject) => {
    const timer = setTimeout(() => { fail('is not ready') }, READY_MS)
    function fail (why: string): void {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`symphony-local ${why}: ${said}`))
    }
    child.once('error', error => { fail(error.message) })
    child.once('exit', code => { fail(`ended with ${code}`) })
    createInterface({ input: child.stdout }).once('line', line => {
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(JSON.parse(line) as { url: string, ws: string })
    })
  })
  return { child, ready }
}

async function end (child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>(resolve => {
    const hard = setTimeout(() => { child.kill('SIGKILL') }, 15_000)
    child.once('exit', () => {
      clearTimeout(hard)
      resolve()
    })
    child.kill(signal)
  })
}
