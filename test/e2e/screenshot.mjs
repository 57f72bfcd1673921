// Makes docs/images/whiteboard.png: three real browsers on one board of the local
// stack. `npm run screenshot`, or `node screenshot.mjs <folder>` for a picture of
// each theme and size as well.

import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openBoard } from './lib/board.mjs'
import { launch } from './lib/chromium.mjs'
import { root, startServer } from './lib/server.mjs'
import { eventually } from './lib/wait.mjs'

const picture = join(root, 'docs/images/whiteboard.png')
const folder = process.argv[2]

const COLOR_KEYS = { ink: '1', red: '2', orange: '3', amber: '4', green: '5', blue: '6', violet: '7', pink: '8' }

/** Draws as somebody would, with the mouse and the keyboard. */
class Hand {
  constructor (board) {
    this.board = board
    this.filled = false
  }

  async with (tool, color, width = 'm', fill = false) {
    const { page } = this.board
    await this.board.press('Escape')
    if (fill !== this.filled) await page.locator('.fill-button').click()
    this.filled = fill
    await page.locator(`[data-width=${width}]`).click()
    await this.board.press(COLOR_KEYS[color], tool)
  }

  async box (tool, color, x, y, w, h, fill = true) {
    await this.with(tool, color, 'm', fill)
    await this.board.drag([x, y], [x + w, y + h])
  }

  async arrow (color, from, to) {
    await this.with('a', color, 's', this.filled)
    await this.board.drag(from, to)
  }

  async text (color, width, x, y, text) {
    await this.with('t', color, width, this.filled)
    await this.board.page.mouse.click(x, y)
    await this.board.page.keyboard.type(text)
    await this.board.press('Escape')
  }

  async stroke (color, width, points, lift = true) {
    await this.with('p', color, width, this.filled)
    const { mouse } = this.board.page
    await mouse.move(...points[0])
    await mouse.down()
    for (const point of points.slice(1)) await mouse.move(...point, { steps: 2 })
    if (lift) await mouse.up()
  }
}

const curve = (n, f) => Array.from({ length: n }, (_, i) => f(i / (n - 1)))

/** A circle as a hand draws it: not quite round, not quite closed. */
const ring = (x, y, rx, ry) => curve(40, t => {
  const a = -2.2 + t * 6.9
  return [x + (rx + 4 * Math.sin(2 * a)) * Math.cos(a), y + (ry + 5 * t) * Math.sin(a)]
})

/** A star in one line, as everybody draws it. */
const star = (x, y, r) => {
  const tip = i => [x + r * Math.sin(i * 4 * Math.PI / 5 + 4 * Math.PI / 5 * 3), y - r * Math.cos(i * 4 * Math.PI / 5 + 4 * Math.PI / 5 * 3)]
  return Array.from({ length: 5 }, (_, i) => i).flatMap(i => curve(10, t => {
    const [from, to] = [tip(i), tip(i + 1)]
    return [from[0] + (to[0] - from[0]) * t + 3 * Math.sin(Math.PI * t), from[1] + (to[1] - from[1]) * t + 2 * Math.sin(Math.PI * t)]
  }))
}

async function sketch (ana, ben, caro) {
  const [a, b, c] = [ana, ben, caro].map(board => new Hand(board))
  await a.text('ink', 'l', 172, 112, 'How an edit travels')
  await a.stroke('amber', 'm', curve(24, t => [172 + t * 386, 178 + 5 * Math.sin(t * 9) - 6 * t]))

  await b.box('r', 'blue', 176, 268, 168, 96)
  await b.text('blue', 'm', 210, 299, 'Browsers')
  await b.box('r', 'violet', 474, 268, 168, 96)
  await b.text('violet', 'm', 508, 299, 'Gateway')
  await b.box('r', 'orange', 772, 268, 168, 96)
  await b.text('orange', 'm', 796, 299, 'Functions')
  await c.box('o', 'green', 760, 478, 192, 108)
  await c.text('green', 'm', 796, 515, 'Room log')

  await a.arrow('ink', [352, 302], [464, 302])
  await a.arrow('ink', [650, 302], [762, 302])
  await c.arrow('green', [856, 374], [856, 468])
  await b.arrow('ink', [762, 336], [650, 336])
  await b.arrow('ink', [464, 336], [352, 336])
  await a.text('ink', 's', 378, 272, '1 edit')
  await c.text('green', 's', 872, 406, '2 append first')
  await b.text('ink', 's', 673, 348, '3 tell all')

  await c.stroke('pink', 's', ring(930, 418, 76, 26))
  await c.stroke('pink', 's', curve(20, t => [1010 + t * 62, 420 + 40 * t * t]))
  await c.text('pink', 'm', 1016, 466, 'nothing is lost!')
}

async function main () {
  const server = await startServer({ memory: true })
  const browser = await launch()
  try {
    const url = `${server.url}?room=how-it-works`
    const size = { viewport: { width: 1280, height: 720 } }
    const ana = await openBoard(browser, url, { ...size, deviceScaleFactor: 1.5, name: 'Ana', color: '#6741d9' })
    if (folder) {
      mkdirSync(folder, { recursive: true })
      await ana.page.screenshot({ path: join(folder, 'empty.png') })
    }
    const ben = await openBoard(browser, url, { ...size, name: 'Ben', color: '#1864ab' })
    const caro = await openBoard(browser, url, { ...size, name: 'Caro', color: '#c2255c' })
    await sketch(ana, ben, caro)
    await ana.press('Escape', 'p')
    for (const board of [ana, ben, caro]) await board.live()
    // Ben has selected something, and Caro is in the middle of a stroke.
    await ben.press('v')
    await ben.page.mouse.click(484, 276)
    await ben.page.mouse.move(620, 408, { steps: 3 })
    await new Hand(caro).stroke('amber', 'm', star(330, 520, 84).slice(0, -9), false)
    await eventually('both cursors are there', async () => await ana.cursor('Ben') !== null && await ana.cursor('Caro') !== null)
    await ana.page.mouse.move(1100, 640)
    await ana.live()
    await ana.page.waitForTimeout(400) // the cursors glide
    mkdirSync(dirname(picture), { recursive: true })
    await ana.page.screenshot({ path: picture })
    console.log(`${picture}: ${Math.round(statSync(picture).size / 1024)} KB`)
    if (folder) await variants(browser, ana, ben, url)
  } finally {
    await browser.close()
    await server.stop()
  }
}

/** Other themes, sizes and states, to look at. */
async function variants (browser, ana, ben, url) {
  const shot = (board, name) => board.page.screenshot({ path: join(folder, `${name}.png`) })
  await shot(ben, 'selected')
  await ana.page.locator('.theme').click()
  await ana.page.mouse.move(1100, 640)
  await shot(ana, 'dark')
  await ana.press('?')
  await shot(ana, 'help-dark')
  await ana.press('Escape')
  await ana.page.locator('.avatar.me').click()
  await shot(ana, 'me-dark')
  await ana.page.keyboard.press('Escape')
  await ana.page.locator('.theme').click()
  await ana.press('?')
  await shot(ana, 'help')
  const phone = await openBoard(browser, url, { name: 'Dora', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true })
  await eventually('all are there', async () => (await phone.others()).length === 3)
  await shot(phone, 'phone')
  await phone.page.locator('.style-button').tap()
  await phone.page.waitForTimeout(300)
  await shot(phone, 'phone-styles')
  const dark = await openBoard(browser, url, { name: 'Emil', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, colorScheme: 'dark' })
  await dark.page.locator('[data-tool=select]').tap()
  await dark.press('n', 'n')
  await dark.page.waitForTimeout(500)
  await shot(dark, 'phone-dark')
}

await main()
