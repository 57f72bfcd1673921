// Real Chromium against the real local server.

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { PATIENCE, slowDown } from './chromium'

const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => existsSync(path))
if (executablePath === undefined) {
  const reason = 'NO CHROMIUM: the client was NOT tested in a browser. Install chromium or set CHROMIUM to its path.'
  if (process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error(reason)
  console.error(`\n!!! ${reason}\n`)
}

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

describe.skipIf(executablePath === undefined)('in Chromium', () => {
  let server: LocalServer
  let pages: Server
  let folder: string
  let browser: Browser
  let context: BrowserContext

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symphony-page-'))
    await build({
      configFile: false,
      logLevel: 'error',
      base: '/client/',
      build: { outDir: folder, emptyOutDir: true, minify: false, rollupOptions: { input: fileURLToPath(new URL('page/main.ts', import.meta.url)), output: { entryFileNames: 'main.js' } } }
    })
    server = await startLocalServer()
    browser = await chromium.launch({ executablePath: executablePath!, args: ARGS })
    context = await browser.newContext()
    // The page is there also while the room's server is not, as an installed app is.
    pages = createServer((request, response) => {
      const name = request.url!.slice('/client/'.length)
      if (name === '') return response.setHeader('content-type', 'text/html').end('<!doctype html><meta charset="utf-8"><script type="module" src="/client/main.js"></script>')
      readFile(join(folder, name)).then(
        body => response.setHeader('content-type', 'text/javascript').end(body),
        () => { response.writeHead(404).end() }
      )
    })
    await new Promise<void>(resolve => { pages.listen(0, '127.0.0.1', resolve) })
  })
  afterAll(async () => {
    await browser?.close()
    pages?.close()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function open (): Promise<Page> {
    const page = await context.newPage()
    page.on('pageerror', error => { throw error })
    await slowDown(page)
    await load(page)
    return page
  }

  async function load (page: Page): Promise<void> {
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/client/`)
    await page.waitForFunction(() => window.app !== undefined)
  }

  const enter = (page: Page, room: string, options = {}): Promise<void> =>
    page.evaluate(([url, room, options]) => { window.app.enter('it', url, room, options) }, [server.ws, room, options] as const)
  const text = (page: Page): Promise<string> => page.evaluate(() => window.app.text('it'))
  const type = (page: Page, text: string): Promise<void> => page.evaluate(text => { window.app.get('it').doc.getText('t').insert(0, text) }, text)
  const settled = (page: Page) => expect.poll(() => page.evaluate(() => window.app.settled('it')), PATIENCE).toBe(true)

  test('P20: edit offline, reload, come back: nothing is lost', async () => {
    const page = await open()
    await enter(page, 'p20', { offline: true, maxBackoffTime: 1000 })
    await settled(page)
    await type(page, 'online ')
    await settled(page)
    await server.kill()
    await expect.poll(() => page.evaluate(() => window.app.get('it').wsconnected), PATIENCE).toBe(false)
    await type(page, 'offline ')
    await page.reload() // at once: what was typed last must be stored
    await page.waitForFunction(() => window.app !== undefined)
    await enter(page, 'p20', { offline: true, maxBackoffTime: 1000 })
    await expect.poll(() => text(page), PATIENCE).toBe('offline online ')
    expect(await page.evaluate(() => window.app.get('it').hasUnacknowledgedChanges)).toBe(true)
    await server.restart()
    await settled(page)
    await page.close()
    const reader = await open()
    await enter(reader, 'p20', { disableBc: true })
    await settled(reader)
    expect(await text(reader)).toBe('offline online ')
    await reader.close()
  })

  test('N6: a paste of 5 MB is seen whole by the other page, and presence goes along', async () => {
    const [a, b] = [await open(), await open()]
    await enter(a, 'paste', { disableBc: true })
    await enter(b, 'paste', { disableBc: true })
    await settled(a)
    await settled(b)
    await a.evaluate(() => { window.app.get('it').doc.getText('t').insert(0, 'x'.repeat(5_000_000)) })
    await expect.poll(() => b.evaluate(() => window.app.get('it').lengths), PATIENCE).toEqual([5_000_000])
    await settled(a)
    const client = await a.evaluate(() => window.app.get('it').doc.clientID)
    const there = (): Promise<boolean> => b.evaluate(client => window.app.get('it').awareness.getStates().has(client), client)
    await expect.poll(there, PATIENCE).toBe(true)
    await a.close() // the tab is closed: gone, without an idle time-out
    await expect.poll(there, PATIENCE).toBe(false)
    await b.close()
  })

  test('two tabs: each sees what the other types, also while the server is away', async () => {
    const [a, b] = [await open(), await open()]
    for (const page of [a, b]) {
      await enter(page, 'tabs', { maxBackoffTime: 1000, offline: true })
      await settled(page)
    }
    await server.kill()
    await expect.poll(() => a.evaluate(() => window.app.get('it').wsconnected), PATIENCE).toBe(false)
    await type(a, 'one ')
    await expect.poll(() => text(b), PATIENCE).toBe('one ')
    await type(b, 'two ')
    await expect.poll(() => text(a), PATIENCE).toBe('two one ')
    await a.close() // its edit is still in b, and in the store they share
    await server.restart()
    await settled(b)
    await b.close()
    const reader = await open()
    await enter(reader, 'tabs', { disableBc: true })
    await settled(reader)
    expect(await text(reader)).toBe('two one ')
    await reader.close()
  })

  test('two tabs, one socket: also when the one that has it closes, crashes or sleeps', async () => {
    const shared = await browser.newContext() // as one user's browser
    const sockets: string[] = []
    const tab = async (name: string): Promise<Page> => {
      const page = await shared.newPage()
      page.on('websocket', () => { sockets.push(name) })
      await slowDown(page)
      await load(page)
      await enter(page, 'one')
      await settled(page)
      return page
    }
    const events = (page: Page): Promise<string[]> => page.evaluate(() => window.app.get('it').events.splice(0))
    const client = (page: Page): Promise<number> => page.evaluate(() => window.app.get('it').doc.clientID)
    const seen = (client: number) => peer.evaluate(client => window.app.get('it').awareness.getStates().has(client), client)
    const peer = await open()
    await enter(peer, 'one', { disableBc: true })
    await settled(peer)

    const a = await tab('a')
    const b = await tab('b')
    const c = await tab('c')
    expect(sockets).toEqual(['a'])
    for (const page of [b, c, a]) await type(page, 'x')
    for (const page of [a, b, c]) await settled(page)
    await expect.poll(() => text(peer), PATIENCE).toBe('xxx')
    for (const page of [a, b, c]) await expect.poll(async () => await seen(await client(page)), PATIENCE).toBe(true)
    for (const page of [a, b, c]) await events(page)

    const gone = await client(a)
    await a.close()
    await expect.poll(() => sockets.length, PATIENCE).toBe(2)
    await type(c, 'y')
    await settled(c)
    await expect.poll(() => text(peer), PATIENCE).toBe('yxxx')
    await expect.poll(async () => await seen(gone), PATIENCE).toBe(false)
    for (const page of [b, c]) await expect.poll(async () => await seen(await client(page)), PATIENCE).toBe(true)
    expect([await events(b), await events(c)]).toEqual([[], []])

    const [heir, other] = sockets[1] === 'b' ? [b, c] : [c, b]
    const crashed = await client(heir)
    const crash = heir.waitForEvent('crash')
    heir.goto('chrome://crash').catch(() => {})
    await crash
    await expect.poll(() => sockets.length, PATIENCE).toBe(3)
    await type(other, 'z')
    await settled(other)
    await expect.poll(() => text(peer), PATIENCE).toBe('zyxxx')
    await expect.poll(async () => await seen(crashed), PATIENCE).toBe(false)
    expect(await events(other)).toEqual([])

    const d = await tab('d')
    expect(sockets).toHaveLength(3)
    await events(d)
    const sleeper = await shared.newCDPSession(other)
    await sleeper.send('Debugger.enable')
    await sleeper.send('Debugger.pause') // from its next statement on it sleeps
    await type(d, 'd')
    await settled(d) // through a connection of its own
    expect(sockets.slice(3)).toEqual(['d'])
    await expect.poll(() => text(peer), PATIENCE).toBe('dzyxxx')
    await sleeper.send('Debugger.resume')
    await sleeper.send('Debugger.disable')
    await expect.poll(() => text(other), PATIENCE).toBe('dzyxxx')
    await type(other, 'e')
    await settled(other)
    await expect.poll(() => text(peer), PATIENCE).toBe('edzyxxx')
    expect([await events(d), await events(other)]).toEqual([[], []])
    expect(sockets).toHaveLength(4)
    await shared.close()
    await peer.close()
  })

  test('a browser that is killed takes the presence of all its tabs with it, which share a connection', async () => {
    const peer = await open()
    await enter(peer, 'killed', { disableBc: true })
    await settled(peer)
    const others = () => peer.evaluate(() => [...window.app.get('it').awareness.getStates().keys()].filter(client => client !== window.app.get('it').doc.clientID))
    const process = await chromium.launchServer({ executablePath: executablePath!, args: ARGS })
    const doomed = await (await chromium.connect(process.wsEndpoint())).newContext()
    let sockets = 0
    const clients: number[] = []
    for (let at = 0; at < 3; at++) {
      const page = await doomed.newPage()
      page.on('websocket', () => { sockets++ })
      await slowDown(page)
      await load(page)
      await enter(page, 'killed')
      await settled(page)
      clients.push(await page.evaluate(() => window.app.get('it').doc.clientID))
    }
    await expect.poll(async () => (await others()).sort(), PATIENCE).toEqual(clients.sort())
    expect(sockets).toBe(1)
    await process.kill()
    await expect.poll(others, PATIENCE).toEqual([])
    await peer.close()
  })

  test('P3: 200 times in and out leave no socket, listener, timer or memory behind', async () => {
    const page = await open()
    const sockets = { opened: 0, open: 0 }
    page.on('websocket', socket => {
      sockets.opened++
      sockets.open++
      socket.on('close', () => { sockets.open-- })
    })
    const session = await context.newCDPSession(page)
    await session.send('Performance.enable')
    const measure = async (): Promise<Record<string, number>> => {
      for (let round = 0; round < 3; round++) await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
    }
    await page.evaluate(async url => { await window.app.cycle(url, 20) }, server.ws) // what is loaded once
    await expect.poll(() => sockets.open, PATIENCE).toBe(0)
    const before = await measure()
    await page.evaluate(async url => { await window.app.cycle(url, 200) }, server.ws)
    await expect.poll(() => sockets.open, PATIENCE).toBe(0)
    let after = await measure()
    // What was under way when the last one left is over a little later; what leaks stays.
    await expect.poll(async () => (after = await measure()).JSEventListeners! <= before.JSEventListeners!, PATIENCE).toBe(true)
    console.log(`listeners ${before.JSEventListeners} → ${after.JSEventListeners}, heap ${before.JSHeapUsedSize} → ${after.JSHeapUsedSize} bytes`)
    expect(after.JSEventListeners!).toBeLessThanOrEqual(before.JSEventListeners!)
    // Less than 10 KB for each of 200 would-be leaks; one document and its provider weigh more.
    expect(after.JSHeapUsedSize! - before.JSHeapUsedSize!).toBeLessThan(2_000_000)
    expect(sockets.opened).toBeGreaterThanOrEqual(220)
    expect((await page.evaluate(() => navigator.locks.query())).held).toEqual([])
    await page.close()
  })
})
