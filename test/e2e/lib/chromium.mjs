// The system's Chromium, driven by playwright-core.

import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where Chromium is: $CHROMIUM or where systems put it; null when it is nowhere. */
export const executablePath = (process.env.CHROMIUM ? [process.env.CHROMIUM] : PATHS).find(path => existsSync(path)) ?? null

/**
 * What to give to `describe` as its `skip`. Without Chromium the tests are
 * skipped with a loud reason, or fail when $SYMPHONY_REQUIRE_ALL is set.
 */
export function withoutChromium () {
  if (executablePath !== null) return false
  const reason = 'NO CHROMIUM: the whiteboard was NOT tested in a browser. Install chromium or set CHROMIUM to its path.'
  if (process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error(reason)
  console.error(`\n!!! ${reason}\n`)
  return reason
}

export function launch () {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
}

/**
 * With SYMPHONY_SLOW=4 a page has a quarter of the processor, and what goes between it and a room takes 0.3 s each way:
 * what does not wait for what it looks at fails then.
 */
export async function slowDown (page) {
  const rate = Number(process.env.SYMPHONY_SLOW ?? 1)
  if (!(rate > 1)) return
  await page.routeWebSocket(url => url.pathname.endsWith('/dev'), socket => {
    const server = socket.connectToServer()
    socket.onMessage(message => { setTimeout(() => server.send(message), 300) })
    server.onMessage(message => { setTimeout(() => socket.send(message), 300) })
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate })
}
