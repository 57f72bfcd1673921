// One Chromium for the tests of a file, and pages whose errors fail the test.

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Chromium's path; undefined where there is none. */
export const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => existsSync(path))

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** A bound for a broken run on a slow machine; nothing is asserted about time. */
export const PATIENCE = { timeout: 90_000, interval: 20 }

/**
 * With SYMPHONY_SLOW=4 a page has a quarter of the processor, and what goes between it and a room takes 0.3 s each way:
 * what does not wait for what it looks at fails then.
 */
export async function slowDown (page: Page): Promise<void> {
  const rate = Number(process.env.SYMPHONY_SLOW ?? 1)
  if (!(rate > 1)) return
  await page.routeWebSocket(url => url.pathname.endsWith('/dev'), socket => {
    const server = socket.connectToServer()
    socket.onMessage(message => { setTimeout(() => { server.send(message) }, 300) })
    server.onMessage(message => { setTimeout(() => { socket.send(message) }, 300) })
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate })
}

/** Says loudly why tests do not run, and fails instead where nothing may be skipped. True: skip. */
export function missing (reason: string | false): boolean {
  if (reason === false) return false
  if (process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error(reason)
  console.error(`\n!!! ${reason}\n`)
  return true
}

export const noChromium = (what: string): string | false =>
  executablePath === undefined && `NO CHROMIUM: ${what} NOT tested in a browser. Install chromium or set CHROMIUM to its path.`

/** People, each with a browser profile of their own, so that nothing passes between them but the server. */
export class People {
  readonly errors: string[] = []
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []

  private constructor (browser: Browser) {
    this.#browser = browser
  }

  static async start (): Promise<People> {
    return new People(await chromium.launch({ executablePath: executablePath!, args: ARGS }))
  }

  async open (url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options)
    this.#contexts.push(context)
    context.setDefaultTimeout(PATIENCE.timeout)
    const page = await context.newPage()
    page.on('pageerror', error => { this.errors.push(`${url}: ${error.stack ?? String(error)}`) })
    page.on('console', message => { if (message.type() === 'error') this.errors.push(`${url}: ${message.text()}`) })
    await slowDown(page)
    await page.goto(url)
    return page
  }

  /** Everybody leaves. */
  async leave (): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map(context => context.close()))
  }

  async end (): Promise<void> {
    await this.#browser.close()
  }
}
