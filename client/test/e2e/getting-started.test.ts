// docs/GETTING-STARTED.md, followed to the letter: its commands are run and its files written, with the packed tarball in
// place of the npm name and a free port in place of 8787; then two people open the app.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { missing, noChromium, PATIENCE, People } from './chromium'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const skip = missing(noChromium('docs/GETTING-STARTED.md was'))

/** The chapters that make an app. */
const APPS = ['In ten lines', 'With React']

/** A fenced block: `sh` is a command, anything with a file name after its language is that file. */
interface Block {
  language: string
  file: string
  text: string
}

/** The page's chapters, by heading, each with its blocks. */
async function chapters (): Promise<Map<string, Block[]>> {
  const page = await readFile(join(root, 'docs/GETTING-STARTED.md'), 'utf8')
  return new Map(page.split(/^## /m).slice(1).map(chapter => [
    chapter.slice(0, chapter.indexOf('\n')),
    [...chapter.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language, file = '', text]) => ({ language: language!, file, text: text! }))
  ]))
}

/** A port that nobody uses, and that the system gives to nobody meanwhile: below those it gives by itself. */
async function freePort (): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => { resolve(false) })
      server.listen(port, '127.0.0.1', () => { resolve(true) })
    })
    if (!free) continue
    await new Promise(resolve => server.close(resolve))
    return port
  }
}

describe.skipIf(skip)('docs/GETTING-STARTED.md', () => {
  let server: LocalServer
  let people: People
  let folder: string
  let tarball: string
  let page: Map<string, Block[]>
  const apps = new Map<string, Promise<string>>()
  const children: ChildProcess[] = []

  beforeAll(async () => {
    page = await chapters()
    folder = await mkdtemp(join(tmpdir(), 'symphony-start-'))
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: join(root, 'client') })
    tarball = join(folder, (JSON.parse(stdout) as Array<{ filename: string }>)[0]!.filename)
    server = await startLocalServer()
    people = await People.start()
    // Both at once: they mostly wait for npm.
    for (const chapter of APPS) {
      const app = follow(page.get(chapter)!, await mkdtemp(join(folder, 'app-')))
      app.catch(() => {}) // the test says it
      apps.set(chapter, app)
    }
  })
  afterEach(async () => { await people.leave() })
  afterAll(async () => {
    for (const { pid } of children) try { process.kill(-pid!, 'SIGKILL') } catch { /* it has ended */ }
    await people?.end()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const here = (text: string): string => text.replaceAll('ws://127.0.0.1:8787/dev', server.ws)
    .replaceAll(/(npm install )@symphony-rt\/client/g, `$1${tarball}`)

  /** Follows a chapter in an app's folder; gives the address of the app's development server. */
  async function follow (blocks: Block[], at: string): Promise<string> {
    await mkdir(at, { recursive: true })
    let url = ''
    for (const { language, file, text } of blocks) {
      if (file !== '') {
        await mkdir(dirname(join(at, file)), { recursive: true })
        await writeFile(join(at, file), here(text))
      } else if (language === 'sh') {
        for (const command of here(text).trim().split('\n')) {
          if (command.startsWith('cd ')) at = join(at, command.slice(3))
          else if (command === 'npm run dev') url = await develop(at)
          else await run('bash', ['-ec', command], { cwd: at, env: { ...process.env, CI: 'true' } }).catch((error: { stdout: string, stderr: string }) => { throw new Error(`${command}:\n${error.stdout}${error.stderr}`) })
        }
      }
    }
    return url
  }

  async function develop (at: string): Promise<string> {
    const port = await freePort()
    const child = spawn('npm', ['run', 'dev', '--', '--host', '127.0.0.1', '--port', String(port), '--strictPort'], { cwd: at, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    const url = `http://127.0.0.1:${port}/`
    let said = ''
    for (const out of [child.stdout, child.stderr]) out.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await expect.poll(async () => await fetch(url).then(({ ok }) => ok, () => said), PATIENCE).toBe(true)
    return url
  }

  /** Two people use the app: each sees what the other adds, and it is there after a reload. */
  async function use (url: string): Promise<Page> {
    const [a, b] = [await people.open(url), await people.open(url)]
    for (const [page, todo] of [[a, 'milk'], [b, 'bread']] as const) {
      await page.locator('input').fill(todo)
      await page.keyboard.press('Enter')
      for (const other of [a, b]) await other.locator('li', { hasText: todo }).waitFor()
    }
    await a.reload()
    await expect.poll(() => a.locator('li').allTextContents(), PATIENCE).toEqual(['milk', 'bread'])
    expect(people.errors.splice(0)).toEqual([])
    return a
  }

  test('the page begins with a server, which is running here', async () => {
    const text = await readFile(join(root, 'docs/GETTING-STARTED.md'), 'utf8')
    expect(text.slice(0, text.indexOf('## ')).match(/^```sh\n(.*?)^```$/ms)![1]).toBe('make local\n')
    expect([...page.keys()]).toEqual([...APPS, 'Where to go from here'])
    const code = page.get('In ten lines')!.find(({ file }) => file !== '')!.text
    expect(code.split('\n').filter(line => line !== '').length).toBeLessThanOrEqual(10)
  })

  test.each(APPS)('%s', async chapter => {
    const a = await use(await apps.get(chapter)!)
    if (chapter === 'With React') await expect.poll(() => a.locator('p').textContent(), PATIENCE).toBe('You and 1 more')
  })
})
