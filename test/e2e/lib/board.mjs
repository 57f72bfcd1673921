// The whiteboard in a page, for tests: opening it, drawing, and reading it back.

import assert from 'node:assert/strict'
import { slowDown } from './chromium.mjs'
import { eventually, PATIENCE_MS } from './wait.mjs'

/**
 * Opens a board as somebody.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {{ name?: string, color?: string, wait?: boolean } & import('playwright-core').BrowserContextOptions} [options]
 */
export async function openBoard (browser, url, { name, color, wait = true, ...context } = {}) {
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context })
  await own.addInitScript(([name, color]) => {
    const key = 'symphony-whiteboard.name'
    if (name !== undefined && localStorage.getItem(key) === null) {
      localStorage.setItem(key, name)
      if (color !== undefined) localStorage.setItem('symphony-whiteboard.color', color)
    }
  }, [name, color])
  own.setDefaultTimeout(PATIENCE_MS)
  const page = await own.newPage()
  await slowDown(page)
  const board = new BoardPage(page)
  await page.goto(url)
  if (wait) await board.live()
  return board
}

export class BoardPage {
  /** Errors that the page threw or logged, those of a lost connection apart. */
  errors = []

  /** @param {import('playwright-core').Page} page */
  constructor (page) {
    this.page = page
    page.on('pageerror', error => this.errors.push(String(error.stack)))
    page.on('console', message => {
      if (message.type() === 'error' && !/WebSocket connection|net::ERR_/.test(message.text())) this.errors.push(message.text())
    })
    page.on('dialog', dialog => { void dialog.accept() })
  }

  /** Waits until everything drawn here is stored. */
  async live () {
    await this.page.locator('.status[data-status=live]').waitFor()
  }

  status () {
    return this.page.locator('.status').getAttribute('data-status')
  }

  async press (...keys) {
    for (const key of keys) await this.page.keyboard.press(key)
  }

  /** Drags through screen points. */
  async drag (...points) {
    const [first, ...rest] = points
    await this.page.mouse.move(...first)
    await this.page.mouse.down()
    for (const point of rest) await this.page.mouse.move(...point, { steps: 4 })
    await this.page.mouse.up()
  }

  /** The shapes as Yjs has them. */
  shapes () {
    return this.page.evaluate(() => window.__symphony.board.shapes.toJSON())
  }

  /** How many of each kind there are. */
  async kinds () {
    const kinds = {}
    for (const { kind } of Object.values(await this.shapes())) kinds[kind] = (kinds[kind] ?? 0) + 1
    return kinds
  }

  /** The shapes as they are drawn, from the bottom to the top. */
  rendered () {
    return this.page.evaluate(() => [...document.querySelectorAll('.shapes > g')].map(g => g.outerHTML))
  }

  /** The names of everybody else. */
  others () {
    return this.page.evaluate(() => [...document.querySelectorAll('.avatars .avatar')].map(a => a.getAttribute('data-tip')))
  }

  /** Where the cursor of somebody is on this screen, null when it is not shown. */
  cursor (name) {
    return this.page.evaluate(name => {
      const cursor = [...document.querySelectorAll('.cursor')].find(c => c.textContent === name)
      if (cursor === undefined) return null
      const { x, y } = cursor.getBoundingClientRect()
      return [Math.round(x), Math.round(y)]
    }, name)
  }

  /** Where a shape of a kind is on the screen. */
  async box (kind) {
    const box = await this.page.locator(`.shape[data-kind=${kind}]`).first().boundingBox()
    assert.ok(box, `there is no ${kind}`)
    return box
  }

  close () {
    return this.page.context().close()
  }
}

/** Waits until both have the same shapes and draw them alike. */
export async function same (a, b) {
  await eventually('both have the same shapes', async () => b.shapes(), await a.shapes())
  await eventually('both draw the same', () => b.rendered(), await a.rendered())
}
