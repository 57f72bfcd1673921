// Chromium and the servers that the page's tests and pictures run against.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
export const executablePath = places.find(p => p !== undefined && p !== '' && existsSync(p))

export const launch = () =>
  chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })

let built
/** Builds a Go program once and returns where it is. */
export function build(name, pkg) {
  built ??= mkdtempSync(join(tmpdir(), 'symphony-dashboard-'))
  const path = join(built, name)
  const made = spawnSync('go', ['build', '-o', path, pkg], { cwd: root, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
  return path
}

/** Starts a program and returns its first line of output and how to end it. */
export async function start(path, args) {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const errors = []
  child.stderr.on('data', d => errors.push(String(d)))
  const gone = new Promise(resolve => child.once('exit', resolve))
  const line = await Promise.race([
    new Promise(resolve => createInterface({ input: child.stdout }).once('line', resolve)),
    gone.then(() => Promise.reject(new Error(`${path} ended: ${errors.join('')}`)))
  ])
  return {
    line,
    pid: child.pid,
    errors: () => errors.join(''),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await gone
    }
  }
}
