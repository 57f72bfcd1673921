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

const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => existsSync(path))
if (executablePath === undefined) {
  const reason = 'NO CHROMIUM: the client was NOT tested in a browser. Install chromium or set CHROMIUM to its path.'
  if (process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error(reason)
  console.error(`\n!!! ${reason}\n`)
}

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const PATIENCE = { timeout: 30_000, interval: 20 }

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

  test('200 times in and out leave no listener, timer or memory behind', async () => {
    const page = await open()
    const session = await context.newCDPSession(page)
    await session.send('Performance.enable')
    const measure = async (): Promise<Record<string, number>> => {
      for (let round = 0; round < 3; round++) await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
    }
    await page.evaluate(async url => { await window.app.cycle(url, 20) }, server.ws) // what is loaded once
    const before = await measure()
    await page.evaluate(async url => { await window.app.cycle(url, 200) }, server.ws)
    await page.waitForTimeout(500)
    const after = await measure()
    console.log(`listeners ${before.JSEventListeners} → ${after.JSEventListeners}, heap ${before.JSHeapUsedSize} → ${after.JSHeapUsedSize} bytes`)
    expect(after.JSEventListeners!).toBeLessThanOrEqual(before.JSEventListeners!)
    // Less than 10 KB for each of 200 would-be leaks; one document and its provider weigh more.
    expect(after.JSHeapUsedSize! - before.JSHeapUsedSize!).toBeLessThan(2_000_000)
    await page.close()
  })
})
