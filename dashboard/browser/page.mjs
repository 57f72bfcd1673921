// What the tests of the page share: one browser, pages that fail a test when
// anything goes wrong in them.
import AxeBuilder from 'axe-core'
import { expect } from 'vitest'

export const strange = 'plan/⭐ <b>launch</b> & more'
export const strangePath = `/room?id=${encodeURIComponent(strange)}`

/** Opens a page whose errors, console errors and requests elsewhere are collected. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options })
  // A bound for a slow machine; nothing is asserted about time.
  context.setDefaultTimeout(90_000)
  const page = await context.newPage()
  const wrong = []
  const origin = new URL(url).origin
  page.on('pageerror', e => wrong.push(`error: ${e.message}`))
  page.on('console', m => {
    // What the browser says of a server that was stopped on purpose is no fault of the page.
    if (m.type() === 'error' && !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|status of 404|status of 501|status of 401/.test(m.text())) wrong.push(`console: ${m.text()}`)
  })
  page.on('request', r => {
    if (!r.url().startsWith(origin) && !r.url().startsWith('data:')) wrong.push(`asked elsewhere: ${r.url()}`)
  })
  await slowDown(context, page)
  await page.goto(url)
  return {
    page,
    origin,
    wrong,
    go: path => page.goto(origin + path),
    close: async () => {
      await context.close()
      expect(wrong).toEqual([])
    }
  }
}

/**
 * With SYMPHONY_SLOW=4 the page has a quarter of the processor and every answer
 * comes up to 0.8 s late, so that a test that does not wait for what it looks
 * at fails here rather than on somebody's busy machine.
 */
async function slowDown(context, page) {
  const rate = Number(process.env.SYMPHONY_SLOW ?? 0)
  if (!(rate > 1)) return
  await page.route(/\/api\/(?!live)/, async route => {
    await new Promise(done => setTimeout(done, Math.random() * 800))
    await route.continue().catch(() => {}) // the page may have gone on
  })
  const session = await context.newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate })
}

/** Serious and critical findings of axe, in words. */
export async function axe(page) {
  await page.evaluate(AxeBuilder.source)
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
  return violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', ')}: ${v.nodes[0].failureSummary}`)
}

/** How far the page can be scrolled sideways. */
export const sideways = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
