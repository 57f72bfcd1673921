// The whiteboard in real browsers (P38, and P18, P20, P24 as a user sees them).

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { openBoard, same } from '../lib/board.mjs'
import { launch, withoutChromium } from '../lib/chromium.mjs'
import { root, startServer } from '../lib/server.mjs'
import { eventually } from '../lib/wait.mjs'

const skip = withoutChromium()
assert.ok(skip || existsSync(join(root, 'examples/whiteboard/dist/index.html')), 'the page is not built: run `make whiteboard` first')

/** A JSON Web Token, as an app's own server signs it. */
function token (secret, claims) {
  const text = [{ alg: 'HS256', typ: 'JWT' }, { exp: Math.floor(Date.now() / 1000) + 3600, ...claims }].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }

describe('the whiteboard', { skip }, () => {
  let server
  let browser
  let rooms = 0
  const opened = []

  before(async () => {
    server = await startServer({ args: ['--checkpoint', '2s'] })
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })
  afterEach(async () => {
    for (const board of opened.splice(0)) {
      assert.deepEqual(board.errors, [], 'the page has no errors')
      await board.close()
    }
  })

  const newRoom = () => `board ${++rooms} & more`
  const url = room => `${server.url}?room=${encodeURIComponent(room)}`
  const open = async (room, options) => {
    const board = await openBoard(browser, url(room), options)
    opened.push(board)
    return board
  }
  const pair = async () => {
    const room = newRoom()
    return [await open(room, { name: 'Ana' }), await open(room, { name: 'Ben' }), room]
  }

  it('two draw on one board, and both see all of it', async () => {
    const [a, b] = await pair()
    await a.page.locator('.empty').waitFor()
    await a.press('p', '2')
    await a.drag([300, 300], [380, 240], [450, 330], [520, 260])
    await b.press('r', '6')
    await b.drag([600, 300], [760, 400])
    await a.press('o')
    await a.page.locator('.fill-button').click()
    await a.drag([300, 450], [420, 540])
    await b.press('a')
    await b.drag([520, 300], [600, 350])
    await a.press('l')
    await a.drag([700, 500], [800, 450])
    await b.press('t')
    await b.page.mouse.click(620, 340)
    await b.page.keyboard.type('Hello 漢字 😀')
    await b.press('Escape')
    const want = { pen: 1, rectangle: 1, ellipse: 1, arrow: 1, line: 1, text: 1 }
    await eventually('Ana has everything', () => a.kinds(), want)
    await eventually('Ben has everything', () => b.kinds(), want)
    await a.live()
    await b.live()
    await same(a, b)
    const shapes = Object.values(await a.shapes())
    assert.equal(shapes.find(shape => shape.kind === 'text').text, 'Hello 漢字 😀')
    assert.ok(shapes.find(shape => shape.kind === 'pen').points.length > 12, 'the stroke has its points')
    assert.equal(await a.page.locator('.empty').isVisible(), false)
  })

  it('a stroke is seen while it is drawn', async () => {
    const [a, b] = await pair()
    await a.press('p')
    await a.page.mouse.move(300, 300)
    await a.page.mouse.down()
    await a.page.mouse.move(500, 380, { steps: 20 })
    await eventually('Ben sees the unfinished stroke', async () => Object.values(await b.shapes())[0]?.points.length > 8)
    await a.page.mouse.move(700, 300, { steps: 20 })
    await a.page.mouse.up()
    await a.live()
    await same(a, b)
  })

  it('cursors move, with names, and who closes the page is gone', async () => {
    const [a, b] = await pair()
    await eventually('Ben sees Ana', () => b.others(), ['Ana'])
    await eventually('Ana sees Ben', () => a.others(), ['Ben'])
    for (const at of [[400, 300], [640, 420]]) {
      await a.page.mouse.move(...at)
      await eventually('Ben sees Ana’s cursor there', () => b.cursor('Ana'), at)
    }
    // The view of one is not the view of the other: the cursor stays over the same place of the board.
    await b.page.mouse.move(640, 400)
    await b.page.mouse.wheel(50, 100)
    await eventually('the cursor moves with the board', () => b.cursor('Ana'), [590, 320])
    await a.page.mouse.move(20, 20)
    await b.page.mouse.move(500, 500)
    await eventually('Ana sees Ben’s', async () => await a.cursor('Ben') !== null)
    opened.splice(opened.indexOf(b), 1)
    await b.page.close({ runBeforeUnload: true })
    await eventually('Ben is gone', async () => [await a.others(), await a.cursor('Ben')], [[], null])
    await b.close()
  })

  it('a name is kept and told to the others', async () => {
    const [a, b, room] = await pair()
    await a.page.locator('.avatar.me').click()
    await a.page.locator('#my-name').fill('Ana  María\u0000 López de la Vega y más')
    await a.press('Enter')
    await eventually('Ben sees the new name, cut to fit', async () => (await b.others())[0]?.startsWith('Ana María'))
    await a.page.reload()
    await a.live()
    await eventually('it is there after a reload', async () => (await b.others())[0]?.startsWith('Ana María'))
    assert.equal(new URL(a.page.url()).searchParams.get('room'), room)
  })

  it('undo takes back mine, never yours', async () => {
    const [a, b] = await pair()
    await a.press('r')
    await a.drag([300, 200], [400, 300])
    await b.press('o')
    await b.drag([500, 200], [600, 300])
    await eventually('both are there', () => a.kinds(), { rectangle: 1, ellipse: 1 })
    await a.press('p')
    await a.drag([300, 400], [350, 450], [450, 380])
    await eventually('the stroke too', () => b.kinds(), { rectangle: 1, ellipse: 1, pen: 1 })
    await a.press('Control+z')
    await eventually('one undo takes the whole stroke', () => b.kinds(), { rectangle: 1, ellipse: 1 })
    await a.press('Control+z')
    await eventually('the next the rectangle', () => b.kinds(), { ellipse: 1 })
    await a.press('Control+z', 'Control+z')
    assert.deepEqual(await a.kinds(), { ellipse: 1 }, 'Ben’s ellipse stays')
    await eventually('there is nothing more to undo', () => a.page.locator('[data-action=undo]').isDisabled())
    await a.press('Control+Shift+z', 'Control+y')
    await eventually('redo brings mine back', () => b.kinds(), { rectangle: 1, ellipse: 1, pen: 1 })
    await b.press('Control+z')
    await eventually('Ben’s undo takes his', () => a.kinds(), { rectangle: 1, pen: 1 })
    await a.live()
    await b.live()
    await same(a, b)
  })

  it('select, move, resize, restyle, order, copy, delete; two may change one shape', async () => {
    const [a, b] = await pair()
    await a.press('r')
    await a.drag([300, 200], [420, 300])
    await a.press('o')
    await a.drag([500, 200], [620, 300])
    await a.press('Escape', 'v')
    // A dragged box takes both; together they move.
    await a.drag([260, 160], [660, 340])
    assert.equal(await a.page.locator('.selection-bar .count').textContent(), '2 selected')
    const before = await a.box('ellipse')
    await a.drag([300, 250], [350, 290])
    const moved = await a.box('ellipse')
    assert.deepEqual([moved.x - before.x, moved.y - before.y], [50, 40])
    // One moves while the other recolours: both changes stay.
    await eventually('Ben has them', () => b.kinds(), { rectangle: 1, ellipse: 1 })
    await b.press('v')
    await a.page.mouse.click(900, 600)
    const edge = await a.box('rectangle')
    await a.page.mouse.move(edge.x + 1, edge.y + 50)
    await a.page.mouse.down()
    await a.page.mouse.move(edge.x - 39, edge.y + 80, { steps: 3 })
    await eventually('Ben sees it move', async () => (await b.box('rectangle')).x, edge.x - 40)
    const there = await b.box('rectangle')
    await b.page.mouse.click(there.x + 1, there.y + 50)
    await b.press('2')
    await a.page.mouse.move(edge.x - 59, edge.y + 110, { steps: 3 })
    await a.page.mouse.up()
    await eventually('red and moved', async () => {
      const shape = Object.values(await b.shapes()).find(one => one.kind === 'rectangle')
      return [shape.color, (await b.box('rectangle')).x]
    }, ['red', edge.x - 60])
    // A corner resizes, a copy lies on top, and goes to the back.
    const box = await a.box('rectangle')
    await a.drag([box.x + box.width + 4, box.y + box.height + 4], [box.x + box.width + 54, box.y + box.height + 24])
    assert.ok((await a.box('rectangle')).width > box.width + 40, 'it is wider')
    await a.page.locator('[data-action=copy]').click()
    assert.deepEqual(await a.kinds(), { rectangle: 2, ellipse: 1 })
    const top = (await a.rendered()).at(-1)
    assert.match(top, /data-kind="rectangle"/)
    await a.press('[')
    assert.equal((await a.rendered())[0], top)
    await a.press('Delete')
    assert.deepEqual(await a.kinds(), { rectangle: 1, ellipse: 1 })
    await a.press('Control+a', 'Backspace')
    await eventually('nothing is left', () => b.kinds(), {})
  })

  it('a reload keeps the board, the last one out too', async () => {
    const room = newRoom()
    const a = await open(room)
    await a.press('r')
    await a.drag([300, 200], [400, 300])
    await a.live()
    const shapes = await a.shapes()
    await a.page.reload()
    await a.live()
    assert.deepEqual(await a.shapes(), shapes)
    opened.splice(0)
    await a.close()
    const later = await open(room)
    assert.deepEqual(await later.shapes(), shapes)
  })

  it('kill -9 of the server keeps the board, and both go on', async () => {
    const [a, b, room] = await pair()
    await a.press('r')
    await a.drag([300, 200], [400, 300])
    await b.press('o')
    await b.drag([500, 200], [600, 300])
    await a.live()
    await b.live()
    await same(a, b)
    await server.kill()
    await eventually('both say so', async () => [await a.status(), await b.status()], ['offline', 'offline'])
    await a.press('l')
    await a.drag([300, 500], [400, 560])
    await b.press('a')
    await b.drag([500, 500], [600, 560])
    await server.start()
    await a.live()
    await b.live()
    const all = { rectangle: 1, ellipse: 1, line: 1, arrow: 1 }
    await eventually('what was drawn meanwhile arrives', () => a.kinds(), all)
    await eventually('on both sides', () => b.kinds(), all)
    await eventually('they see each other again', async () => [await a.others(), await b.others()], [['Ben'], ['Ana']])
    await b.press('r')
    await b.drag([700, 300], [760, 360])
    await eventually('they go on', () => a.kinds(), { ...all, rectangle: 2 })
    await b.live()
    // And from the disk alone.
    for (const board of opened.splice(0)) {
      assert.deepEqual(board.errors, [])
      await board.close()
    }
    await server.kill()
    await server.start()
    const fresh = await open(room)
    assert.deepEqual(await fresh.kinds(), { ...all, rectangle: 2 })
  })

  it('works on a phone: fits, draws with a finger, pinches', async () => {
    const room = newRoom()
    const a = await open(room, { name: 'Ana' })
    const phone = await open(room, { name: 'Caro', ...PHONE })
    const { page } = phone
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'nothing is wider than the screen')
    for (const button of await page.locator('.button:visible, .avatar:visible').all()) {
      const box = await button.boundingBox()
      assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y >= 0 && box.y + box.height <= 740, `${await button.getAttribute('aria-label')} is on the screen`)
    }
    const touch = await page.context().newCDPSession(page)
    const send = (type, ...points) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) })
    await send('touchStart', [80, 300])
    for (let i = 1; i <= 10; i++) await send('touchMove', [80 + i * 15, 300 + (i % 2) * 30])
    await send('touchEnd')
    await eventually('the stroke arrives', () => a.kinds(), { pen: 1 })
    // Styles open over the tools.
    // A tap right after a quick stroke may only stop Chromium's fling: again, then.
    await eventually('the styles are open', async () => {
      if (!await page.locator('.styles').isVisible()) await page.locator('.style-button').tap()
      return page.locator('.styles').isVisible()
    })
    await page.locator('[data-color=green]').tap()
    await page.locator('[data-tool=rectangle]').tap()
    await send('touchStart', [100, 420])
    for (let i = 1; i <= 6; i++) await send('touchMove', [100 + i * 20, 420 + i * 10])
    await send('touchEnd')
    await eventually('the rectangle is green', async () => Object.values(await a.shapes()).find(shape => shape.kind === 'rectangle')?.color, 'green')
    // Two fingers zoom, and leave no stroke behind.
    await page.locator('[data-tool=pen]').tap()
    await send('touchStart', [150, 350])
    await send('touchStart', [150, 350], [210, 350])
    for (let i = 1; i <= 6; i++) await send('touchMove', [150 - i * 5, 350], [210 + i * 5, 350])
    await send('touchEnd')
    const zoom = await page.evaluate(() => window.__symphony.camera.view.zoom)
    assert.ok(Math.abs(zoom - 2) < 0.2, `pinched to twice the size, not ${zoom}`)
    await phone.live()
    assert.deepEqual(await phone.kinds(), { pen: 1, rectangle: 1 })
    await page.locator('[data-action=undo]').tap()
    await eventually('undo', () => a.kinds(), { pen: 1 })
  })

  it('follows the system to dark, and remembers another choice', async () => {
    const room = newRoom()
    const a = await open(room, { colorScheme: 'dark' })
    const ground = () => a.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await ground()
    await a.press('r')
    await a.drag([300, 200], [400, 300])
    const stroke = () => a.page.evaluate(() => getComputedStyle(document.querySelector('.shape rect')).stroke)
    const light = await stroke()
    await a.page.locator('.theme').click()
    assert.notEqual(await ground(), dark)
    assert.notEqual(await stroke(), light, 'ink is not the same in light and dark')
    await a.live()
    await a.page.reload()
    await a.live()
    assert.notEqual(await ground(), dark)
  })

  it('works with the keyboard alone', async () => {
    const [a, b] = await pair()
    const { page } = a
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')
    await a.press('Tab')
    assert.match(await focused(), /^Whiteboard/)
    await a.press('r', '6', 'Enter')
    await eventually('Enter adds a rectangle', async () => Object.values(await b.shapes()).map(({ kind, color }) => [kind, color]), [['rectangle', 'blue']])
    const before = await a.box('rectangle')
    await a.press('ArrowRight', 'ArrowRight', 'Shift+ArrowDown')
    const after = await a.box('rectangle')
    assert.deepEqual([after.x - before.x, after.y - before.y], [4, 16])
    await a.press('t', 'Enter')
    await page.keyboard.type('typed')
    await a.press('Escape')
    await eventually('text', () => b.kinds(), { rectangle: 1, text: 1 })
    assert.match(await focused(), /^Whiteboard/, 'the focus is back on the board')
    await a.press('n')
    assert.match(await page.locator('.spoken').textContent(), /Rectangle, blue, 1 of 2/)
    await a.press('Delete')
    await eventually('deleted', () => b.kinds(), { text: 1 })
    await a.press('Control+z')
    await eventually('and back', () => b.kinds(), { rectangle: 1, text: 1 })
    await a.press('?')
    assert.equal(await page.locator('dialog.help').isVisible(), true)
    await a.press('Escape')
    assert.equal(await page.locator('dialog.help').isVisible(), false)
    // Every button can be reached, and has a name and a visible focus.
    const seen = new Set()
    for (let i = 0; i < 60; i++) {
      await a.press('Tab')
      const label = await focused()
      if (label === '' || seen.has(label)) break
      seen.add(label)
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
      assert.notEqual(outline, 'none', `${label} shows that it has the focus`)
    }
    for (const name of ['Pen', 'Rectangle', 'Red', 'Thick', 'Fill shapes', 'Undo', 'Zoom in', 'Shortcuts']) assert.ok(seen.has(name), `${name} is reached with Tab`)
  })

  it('two type into one text', async () => {
    const [a, b] = await pair()
    await a.press('t')
    await a.page.mouse.click(400, 300)
    await a.page.keyboard.type('world')
    await eventually('Ben has the text', async () => Object.values(await b.shapes())[0]?.text, 'world')
    await b.press('v')
    const box = await b.box('text')
    await b.page.mouse.dblclick(box.x + 4, box.y + 10)
    await b.press('Home')
    await b.page.keyboard.type('hello ')
    await eventually('it is in Ana’s field', () => a.page.locator('.typing').inputValue(), 'hello world')
    await a.page.keyboard.type('!')
    await a.press('Escape')
    await b.press('Escape')
    await eventually('both edits stay', async () => Object.values(await b.shapes())[0]?.text, 'hello world!')
    // An empty one goes away.
    await a.press('t')
    await a.page.mouse.click(600, 500)
    await a.press('Escape')
    assert.deepEqual(await a.kinds(), { text: 1 })
  })

  it('a paste of 200 KB arrives whole', async () => {
    const room = newRoom()
    const a = await open(room, { permissions: ['clipboard-read', 'clipboard-write'] })
    const b = await open(room)
    const text = 'All work and no play 漢字 😀\n'.repeat(6_000)
    await a.page.evaluate(text => navigator.clipboard.writeText(text), text)
    await a.press('t')
    await a.page.mouse.click(200, 200)
    await a.press('Control+v', 'Escape')
    await eventually('Ben has it', async () => Object.values(await b.shapes())[0]?.text === text)
    await a.live()
  })

  it('who may only look sees everything and has nothing to draw with', async () => {
    const secret = 'not a secret, and long enough for HS256'
    const signed = await startServer({ memory: true, args: ['--secret', secret] })
    const link = access => `${signed.url}?room=plans&token=${token(secret, { sub: access, rooms: { plans: access } })}`
    try {
      const a = await openBoard(browser, link('write'), { name: 'Ana' })
      opened.push(a)
      await a.press('r')
      await a.drag([300, 200], [400, 300])
      await a.live()
      const b = await openBoard(browser, link('read'), { name: 'Ben', wait: false })
      opened.push(b)
      await eventually('Ben sees the board', () => b.kinds(), { rectangle: 1 })
      await eventually('Ana sees Ben', () => a.others(), ['Ben'])
      await eventually('it says so', () => b.page.locator('.status-label').textContent(), 'View only')
      await b.press('o')
      await b.drag([500, 200], [600, 300])
      await b.press('Control+a', 'Delete', 'Control+z')
      assert.deepEqual(await b.kinds(), { rectangle: 1 })
      assert.deepEqual(await b.page.locator('.tool:visible').evaluateAll(all => all.map(tool => tool.dataset.tool)), ['select', 'hand'])
      assert.equal(await b.page.locator('.styles').isVisible(), false)
    } finally {
      await signed.stop()
    }
  })

  it('a board without a name gets one, and its link is copied', async () => {
    const a = await openBoard(browser, server.url, { permissions: ['clipboard-read', 'clipboard-write'] })
    opened.push(a)
    const room = new URL(a.page.url()).searchParams.get('room')
    assert.match(room, /^[a-z]+-[a-z]+-[a-z2-9]{8}$/)
    assert.equal(await a.page.locator('.room-name').textContent(), room)
    await a.page.locator('.share').click()
    await a.page.locator('.toast').waitFor() // it is copied
    assert.equal(await a.page.evaluate(() => navigator.clipboard.readText()), a.page.url())
  })

  it('says what is wrong with an address', async () => {
    for (const query of [`?room=${'x'.repeat(257)}`, '?room=a&server=https://example.org']) {
      const a = await openBoard(browser, server.url + query, { wait: false })
      opened.push(a)
      assert.equal(await a.page.locator('.wrong h1').textContent(), 'This board cannot be opened')
    }
  })
})
