// `symphony compose` → `npm install` → `npm run build` → two pages collaborating (P32), for every template, as
// somebody does who has only the program.

import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { launch, slowDown, withoutChromium } from '../lib/chromium.mjs'
import { root } from '../lib/server.mjs'
import { eventually, PATIENCE_MS } from '../lib/wait.mjs'

const skip = withoutChromium()
const symphony = process.env.SYMPHONY ?? join(root, 'build/symphony')
assert.ok(skip || existsSync(symphony), 'the command line is not built: run `make symphony` first')

/** What two people do on a page of the template, and what the second one sees. */
const templates = {
  blank: {
    here: '#text',
    act: async page => { await page.fill('#text', 'from the first'); await page.keyboard.press('Enter') },
    sees: async page => (await page.textContent('#list')).includes('from the first')
  },
  notes: {
    here: '.side',
    act: async page => {
      await page.click('button[aria-label="New note"]')
      await page.waitForSelector('.cm-content')
      await page.click('.cm-content')
      await page.keyboard.type('from the first')
    },
    sees: async page => (await page.textContent('.side .list')).includes('from the first')
  },
  whiteboard: {
    here: 'canvas, svg',
    act: async page => {
      await page.keyboard.press('p')
      await page.mouse.move(300, 300)
      await page.mouse.down()
      await page.mouse.move(420, 360, { steps: 8 })
      await page.mouse.up()
    },
    sees: async (_page, rooms) => (await rooms()).some(({ updates }) => updates > 0)
  }
}

describe('symphony compose and dev', { skip }, () => {
  let folder
  let browser
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'symphony-compose-'))
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  for (const [template, { here, act, sees }] of Object.entries(templates)) {
    it(`makes a ${template} that runs at once`, async () => {
      const name = `my-${template}`
      const said = execFileSync(symphony, ['compose', name, '--template', template], { cwd: folder, encoding: 'utf8' })
      assert.match(said, new RegExp(`cd ${name} && npm install`))
      const app = join(folder, name)
      run('npm', ['install', '--no-fund', '--no-audit', '--silent'], app)
      run('npm', ['run', '--silent', 'build'], app)

      const dev = await startDev(app)
      const rooms = async () => JSON.parse(execFileSync(symphony, ['rooms', 'list', '--json'], { cwd: app, encoding: 'utf8' })).rooms
      const errors = []
      try {
        // One page as it was built, one from the dev server.
        const built = `${dev.rooms.replace(/^ws/, 'http').replace(/\/dev$/, '/')}?room=e2e`
        const pages = []
        for (const url of [built, `${dev.page}?room=e2e`]) {
          const context = await browser.newContext()
          context.setDefaultTimeout(PATIENCE_MS)
          const page = await context.newPage()
          await slowDown(page)
          page.on('pageerror', error => errors.push(String(error)))
          await page.goto(url)
          await page.waitForSelector(here)
          pages.push(page)
        }
        await eventually('both pages are in the room', async () => (await rooms())[0]?.connections, 2)
        await act(pages[0])
        await eventually('the second sees what the first did', () => sees(pages[1], rooms))
        assert.deepEqual(errors, [])
        assert.match(execFileSync(symphony, ['verify'], { cwd: app, encoding: 'utf8' }), /ok/)
        for (const page of pages) await page.context().close()
      } finally {
        await dev.stop()
      }
    })
  }
})

function run (command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}:\n${stdout}${stderr}`)
}

/** A port that nobody uses, and that the system gives to nobody meanwhile: below those it gives by itself. */
async function freePort () {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    const free = await new Promise(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise(resolve => server.close(resolve))
    return port
  }
}

/** Starts `symphony dev` on free ports; `stop` is one Ctrl-C. */
async function startDev (app) {
  const child = spawn(symphony, ['dev', '--port', '0', '--page-port', String(await freePort())], { cwd: app, env: { ...process.env, NO_COLOR: '1' } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { text += chunk })
  const ended = once(child, 'exit')
  const find = async pattern => await eventually(`symphony dev says ${pattern}`, () => pattern.exec(text)?.[1] ?? Promise.reject(new Error(text)))
  const rooms = await find(/Rooms\s+(ws:\S+)/)
  const page = await find(/page {2}│\s+.*Local:\s+(http:\S+)/)
  return {
    rooms,
    page,
    stop: async () => {
      child.kill('SIGINT')
      const [code] = await ended
      assert.equal(code, 0, text)
      assert.match(text, /Stopped\./)
    }
  }
}
