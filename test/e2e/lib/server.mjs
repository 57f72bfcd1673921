// The local stack as a child process: started, killed without warning, started again.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** How long a start may take before the test says what the server said. */
const READY_MS = 60_000

/** The binary of `make local`: $SYMPHONY_LOCAL, or built here. */
function binary () {
  const given = process.env.SYMPHONY_LOCAL
  if (given) return given
  const path = join(root, 'build/symphony-local')
  console.log('building build/symphony-local (set SYMPHONY_LOCAL to use another)')
  const { status } = spawnSync('go', ['build', '-o', path, './localdev'], { cwd: root, stdio: 'inherit' })
  if (status !== 0 || !existsSync(path)) throw new Error('build/symphony-local could not be built')
  return path
}

let built

/**
 * Starts a server of its own: an embedded store in a new folder (removed by
 * `stop`), on a free port that it keeps over restarts.
 *
 * @param {{ memory?: boolean, args?: string[] }} [options] further flags
 */
export async function startServer ({ memory = false, args = [] } = {}) {
  built ??= binary()
  const data = mkdtempSync(join(tmpdir(), 'symphony-e2e-'))
  const server = new Server(data, [...(memory ? ['--memory'] : ['--data', join(data, 'store')]), ...args])
  await server.start()
  return server
}

class Server {
  #child = null
  #port = 0
  #args
  #folder

  constructor (folder, args) {
    this.#folder = folder
    this.#args = args
  }

  /** Starts it, or starts it again on the same port and data. */
  async start () {
    const child = spawn(built, ['--port', String(this.#port), '--stack', 'embedded', '--log', 'error', '--ready-json', ...this.#args],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let said = ''
    child.stderr.on('data', chunk => { said = (said + chunk).slice(-8000); process.stderr.write(chunk) })
    const ready = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server is not ready after ${READY_MS / 1000} s: ${said}`)), READY_MS)
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`the server ended with ${code}: ${said}`)))
      createInterface({ input: child.stdout }).once('line', line => { clearTimeout(timer); resolve(JSON.parse(line)) })
    })
    child.removeAllListeners('exit')
    /** The page, with a slash at the end. */
    this.url = ready.url
    /** The WebSocket without the room. */
    this.ws = ready.ws
    this.#port = Number(new URL(ready.url).port)
  }

  /** kill -9: no flush, no goodbye, no $disconnect. */
  async kill () {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Ends it cleanly and removes its data. */
  async stop () {
    const child = this.#child
    this.#child = null
    if (child !== null && child.exitCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(hard)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
