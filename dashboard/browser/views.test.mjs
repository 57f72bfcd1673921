// Every view and action of the page, over made-up rooms: 100,000 of them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, executablePath, launch, start } from './chromium.mjs'
import { axe, open, sideways, strange, strangePath } from './page.mjs'

if (executablePath === undefined && process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error('Chromium is not installed')

// A page is asked again until it is so: answers of the server come when they come.
const patient = { timeout: 90_000 }
const views = ['/', '/rooms', strangePath, '/functions', '/logs']

describe.skipIf(executablePath === undefined)('the page', () => {
  let browser, full, empty, unknown, fixture
  beforeAll(async () => {
    fixture = build('fixture', './dashboard/fixture')
    ;[browser, full, empty, unknown] = await Promise.all([launch(), start(fixture, ['--allow-changes']), start(fixture, ['--rooms', '0']), start(fixture, ['--unknown'])])
  })
  afterAll(async () => {
    await Promise.all([browser, full, empty, unknown].filter(Boolean).map(s => (s === browser ? s.close() : s.stop('SIGINT'))))
  })

  test('the overview shows each figure with its line, live, in three windows', async () => {
    const { page, close, go } = await open(browser, full.line)
    const figure = key => page.locator(`[data-figure="${key}"] .figure-value`)
    for (const key of ['rooms', 'activeRooms', 'connections', 'edits', 'presence', 'latencyP50', 'errors', 'throttles', 'checkpointLag', 'cost', 'costTotal']) {
      await figure(key).waitFor()
    }
    expect(await figure('rooms').textContent()).toBe('100,001')
    await expect.poll(() => page.getByRole('img', { name: /last hour/ }).count(), patient).toBe(11)
    const stored = () => page.getByText(/edits? stored in all/).textContent()
    await page.getByText('Live', { exact: true }).waitFor()
    const before = await page.locator('[data-figure="edits"]').textContent()
    await page.waitForFunction(old => (document.querySelector('[data-figure="edits"]')?.textContent ?? old) !== old, before)
    expect(await stored()).toMatch(/M edits/)

    await page.getByRole('button', { name: /the last 7 days/ }).click()
    await page.getByRole('img', { name: /^Edits, last 7 days/ }).waitFor()
    expect(new URL(page.url()).search).toBe('?window=7d')
    await go('/?window=24h')
    await page.getByRole('img', { name: /^Delivery latency, last 24 hours.*p50: latest .* ms.*p99/ }).waitFor()

    // The same in words.
    await page.getByRole('button', { name: 'Table of Edits, last 24 hours' }).click()
    const table = page.getByRole('table', { name: 'Edits, last 24 hours' })
    expect(await table.getByRole('row').count()).toBeGreaterThan(10)
    expect(await table.getByText('not measured').count()).toBeGreaterThan(0)
    await close()
  })

  test('rooms are searched, sorted and paged on the server, and the address says how', async () => {
    const { page, close, go } = await open(browser, full.line)
    await go('/rooms')
    const table = page.getByRole('table', { name: 'Rooms' })
    const names = () => table.locator('tbody th').allTextContents()
    await page.getByText('100,001 rooms', { exact: true }).waitFor()
    expect((await names()).length).toBe(50)

    const sort = async (name, want) => {
      await table.getByRole('button', { name }).click()
      await table.locator(`th[aria-sort="${want}"]`, { hasText: name }).waitFor()
    }
    await sort('Size', 'descending')
    await page.waitForFunction(() => {
      const kB = t => parseFloat(t) * (t.endsWith('MB') ? 1000 : t.endsWith('GB') ? 1e6 : t.endsWith('kB') ? 1 : 0.001)
      const sizes = [...document.querySelectorAll('td[data-label="Size"]')].map(e => kB(e.textContent))
      return sizes.length === 50 && sizes.every((s, i) => i === 0 || s <= sizes[i - 1])
    })
    await sort('Size', 'ascending')
    await sort('Room', 'ascending')
    // The rows of the order before stay until the new ones are there.
    await page.waitForFunction(() => {
      const names = [...document.querySelectorAll('tbody th')].map(e => e.textContent)
      return names.length === 50 && names[0].startsWith('Entwurf') && names.every((n, i) => i === 0 || names[i - 1] <= n)
    })

    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('51–100 of 100,001').waitFor()
    await page.getByRole('button', { name: 'Last', exact: true }).click()
    await page.getByText('100,001–100,001 of 100,001').waitFor()
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true)
    await page.getByLabel('Rows').selectOption('200')
    await page.getByText('1–200 of 100,001').waitFor()

    await page.getByRole('searchbox').fill('BOARD-9999')
    await page.waitForFunction(() => new URLSearchParams(location.search).get('q') === 'BOARD-9999')
    await page.getByText(/^\d+ of 100,001 rooms$/).waitFor()
    await page.waitForFunction(() => [...document.querySelectorAll('tbody th')].every(e => e.textContent.includes('board-9999')))
    const url = page.url()
    const found = await names()
    await page.goto('about:blank')
    await page.goto(url)
    await table.waitFor()
    await expect.poll(names, patient).toEqual(found)

    await page.getByRole('searchbox').fill('no such room')
    await page.getByRole('heading', { name: 'No room matches' }).waitFor()
    await page.getByRole('button', { name: 'Show all rooms' }).click()
    await page.getByText('100,001 rooms', { exact: true }).waitFor()
    await page.getByLabel('Active only').check()
    await page.getByText('5,001 of 100,001 rooms').waitFor()
    await expect.poll(() => table.getByText('idle').count(), patient).toBe(0)
    await close()
  })

  test('a room shows who is there, its edits, its size and its document, piece by piece', async () => {
    const { page, close, go } = await open(browser, full.line)
    const asked = []
    page.on('request', r => r.url().includes('/api/room/document') && asked.push(new URL(r.url()).searchParams.get('path') ?? ''))
    await go('/rooms')
    await page.getByRole('link', { name: strange }).click()
    await page.getByRole('heading', { level: 1, name: strange }).waitFor()
    expect(await page.locator('h1 b, .log b, td b').count()).toBe(0)
    const people = page.getByRole('table', { name: 'Who is in the room now' })
    await people.getByText('Ada Lovelace').waitFor()
    await people.getByText('Anonymous').waitFor()
    await page.getByRole('img', { name: /^Edits over time/ }).waitFor()
    await page.getByRole('img', { name: /^Size over time.*kB/ }).waitFor()
    const versions = page.locator('.facts div', { hasText: 'Versions' }).locator('dd')
    const before = await versions.textContent()
    await page.waitForFunction(old => [...document.querySelectorAll('.facts div')].some(d => d.textContent.includes('Versions') && d.querySelector('dd').textContent !== old), before)

    await page.getByLabel('Follow changes').uncheck()
    const shapes = page.getByRole('button', { name: /^shapes/ })
    await shapes.waitFor()
    expect(asked.every(p => p === '')).toBe(true)
    await shapes.click()
    await page.getByRole('button', { name: /^shape-0099/ }).waitFor()
    expect(await page.getByRole('button', { name: /^shape-0100/ }).count()).toBe(0)
    await page.getByRole('button', { name: /Show more \(1,134 left\)/ }).click()
    await page.getByRole('button', { name: /^shape-0100/ }).click()
    await page.getByText('“Step 100”').waitFor()
    await page.getByRole('button', { name: /^notes/ }).click()
    await page.getByRole('region', { name: 'Text' }).getByText('<script>alert(1)</script>').waitFor()
    await close()
  })

  test('a room is verified; what is wrong with it is said', async () => {
    const { page, close, go } = await open(browser, full.line)
    await go(strangePath)
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByRole('heading', { name: 'Nothing is wrong with this room' }).waitFor()
    await go('/rooms?sort=name&q=7&dir=asc')
    await page.getByRole('table').locator('tbody th a', { hasText: /7$/ }).first().click()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(/SHA-256 is not the one/).waitFor()
    await close()
  })

  test('a room is deleted only by typing its name', async () => {
    const { page, close, go } = await open(browser, full.line)
    await go('/rooms?q=retro&sort=name&dir=asc')
    const link = page.getByRole('table').locator('tbody th a').first()
    await link.waitFor()
    const name = await link.textContent()
    await link.click()
    await page.getByRole('button', { name: 'Delete…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    expect(await axe(page)).toEqual([])
    const button = dialog.getByRole('button', { name: 'Delete room' })
    expect(await button.isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill(name.toUpperCase())
    expect(await button.isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Delete…' }).click()
    expect(await dialog.getByRole('textbox').inputValue()).toBe('')
    await dialog.getByRole('textbox').fill(name)
    await page.keyboard.press('Enter')
    await page.getByText(`Room ${name} is deleted.`).waitFor()
    await page.waitForURL('**/rooms')
    await go(`/rooms?q=${encodeURIComponent(name)}`)
    await page.waitForFunction(gone => ![...document.querySelectorAll('tbody th')].some(e => e.textContent === gone) && (document.querySelector('.heading-note')?.textContent ?? '').trim() !== '', name)
    await go(`/room?id=${encodeURIComponent(name)}`)
    await page.getByRole('heading', { name: 'There is no such room' }).waitFor()
    await close()
  })

  test('read-only shows no way to act, and says how to get one', async () => {
    const { page, close, go } = await open(browser, unknown.line)
    await go(strangePath)
    await page.getByRole('button', { name: 'Verify' }).waitFor()
    expect(await page.getByRole('button', { name: 'Delete…' }).count()).toBe(0)
    await page.getByText('Read only. Start with --allow-changes to act').waitFor()
    await close()
  })

  test('functions, and what is not measured', async () => {
    const { page, close, go } = await open(browser, unknown.line)
    for (const key of ['latencyP50', 'throttles', 'cost', 'costTotal']) {
      await page.locator(`[data-figure="${key}"] .unknown`).waitFor()
      expect(await page.locator(`[data-figure="${key}"]`).textContent()).toBe('not measured here')
    }
    await page.getByText('The gateways run in processes of their own.').waitFor()
    await go('/functions?window=24h')
    const table = page.getByRole('table', { name: 'Functions, last 24 hours' })
    await table.waitFor()
    expect(await table.locator('tbody tr').count()).toBe(6)
    const message = table.locator('tbody tr', { hasText: 'message' })
    expect(await message.locator('td[data-label="Invocations"]').textContent()).toBe('18,000')
    expect(await message.locator('td[data-label="Errors"]').textContent()).toBe('2')
    expect(await message.locator('td[data-label="Cold starts"]').textContent()).toBe('6')
    const stream = table.locator('tbody tr', { hasText: 'stream' })
    expect(await stream.locator('td[data-label="Invocations"]').textContent()).toContain('not measured here')
    await message.getByRole('link').click()
    await page.waitForURL('**/logs?function=message')
    await close()
  })

  test('the log is filtered and followed', async () => {
    const { page, close, go } = await open(browser, full.line)
    await go('/logs')
    const lines = page.locator('.log-line')
    await lines.first().waitFor()
    const many = await lines.count()
    await page.waitForFunction(n => document.querySelectorAll('.log-line').length > n, many)
    await page.getByLabel('Level').selectOption('error')
    await page.waitForFunction(() => [...document.querySelectorAll('.log-level')].every(e => e.textContent === 'error') && document.querySelector('.log-level') !== null)
    await page.getByLabel('Level').selectOption('')
    await page.getByLabel('Function').selectOption('checkpoint')
    await page.getByRole('searchbox').fill('SWEEP')
    await page.waitForFunction(() => location.search.includes('SWEEP') && [...document.querySelectorAll('.log-function')].every(e => e.textContent === 'checkpoint'))
    await page.getByLabel('Follow').uncheck()
    await page.getByRole('searchbox').fill('nothing like it')
    await page.getByRole('heading', { name: 'No lines' }).waitFor()
    await close()
  })

  test('an empty deployment teaches', async () => {
    const { page, close, go } = await open(browser, empty.line)
    await page.getByRole('heading', { name: 'No rooms yet' }).waitFor()
    await page.getByText('symphony compose my-app').waitFor()
    await page.getByText('ws://127.0.0.1:8787/dev').waitFor()
    expect(await page.locator('[data-figure="latencyP50"]').textContent()).toBe('nothing measured yet')
    await go('/rooms')
    await page.getByRole('heading', { name: 'No rooms yet' }).waitFor()
    await go('/room?id=x')
    await page.getByRole('heading', { name: 'There is no such room' }).waitFor()
    await close()
  })

  test('axe finds nothing serious in any view, light or dark, and nothing scrolls sideways from 360 px to 4K', async () => {
    for (const [server, colorScheme] of [[full, 'light'], [full, 'dark'], [empty, 'light'], [unknown, 'dark']]) {
      const { page, close, go } = await open(browser, server.line, { colorScheme })
      for (const view of views) {
        await page.setViewportSize({ width: 1280, height: 800 })
        await go(view)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await page.waitForLoadState('load')
        await page.waitForFunction(() => document.querySelector('.pulse.live') !== null)
        await page.waitForFunction(() => !document.body.textContent.includes('Reading…'))
        expect(await axe(page), `${view} ${colorScheme}`).toEqual([])
        for (const width of [360, 768, 1280, 2560, 3840]) {
          await page.setViewportSize({ width, height: 900 })
          expect(await sideways(page), `${view} at ${width}`).toBe(0)
        }
        if (colorScheme === 'light') {
          await page.setViewportSize({ width: 360, height: 800 })
          expect(await axe(page), `${view} on a phone`).toEqual([])
        }
      }
      await close()
    }
  })

  test('the keyboard reaches everything, and the focus is seen', async () => {
    const { page, close } = await open(browser, full.line)
    await page.getByText('Live', { exact: true }).waitFor()
    const at = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label'))
    await page.keyboard.press('Tab')
    expect(await at()).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement.id)).toBe('main')
    await page.getByText('1 h', { exact: true }).waitFor()
    await page.keyboard.press('Tab')
    expect(await at()).toBe('1 h')
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
    expect(outline).toBe('solid')
    await page.locator('nav').getByRole('link', { name: 'Rooms' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Rooms' }).waitFor()
    await page.waitForFunction(() => document.activeElement.tagName === 'H1')
    await page.getByRole('button', { name: 'Next' }).waitFor()
    const reached = new Set()
    for (let i = 0; i < 75; i++) {
      await page.keyboard.press('Tab')
      reached.add(await page.evaluate(() => `${document.activeElement.tagName} ${document.activeElement.textContent.trim().slice(0, 12) || document.activeElement.type}`))
    }
    for (const want of ['INPUT search', 'INPUT checkbox', 'BUTTON Users', 'BUTTON Versions', 'BUTTON Next', `A ${strange.slice(0, 12)}`]) expect([...reached]).toContain(want)
    await page.getByRole('button', { name: 'Users' }).focus()
    await page.keyboard.press('Space')
    await page.locator('th[aria-sort="descending"]', { hasText: 'Users' }).waitFor()
    await close()
  })

  test('the theme is the system’s until another is chosen, which is remembered', async () => {
    const { page, close } = await open(browser, full.line, { colorScheme: 'dark' })
    await page.getByRole('heading', { level: 1 }).waitFor()
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const dark = await ground()
    await page.getByRole('button', { name: 'Light theme' }).click()
    const light = await ground()
    expect(light).not.toBe(dark)
    await page.reload()
    expect(await ground()).toBe(light)
    await page.getByRole('button', { name: 'Theme of the system' }).click()
    expect(await ground()).toBe(dark)
    await close()
  })

  test('a dashboard that ends is noticed, and found again when it is back', async () => {
    const server = await start(fixture, ['--rooms', '3'])
    const { page, close } = await open(browser, server.line)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.locator('[data-figure="rooms"] .figure-value').waitFor()
    await server.stop('SIGKILL')
    await page.getByText(/The dashboard does not answer: what you see is old/).waitFor()
    expect(await page.locator('[data-figure="rooms"] .figure-value').textContent()).toBe('4')
    const again = await start(fixture, ['--rooms', '7', '--port', new URL(server.line).port])
    await page.getByText('Live', { exact: true }).waitFor()
    await page.waitForFunction(() => document.querySelector('[data-figure="rooms"] .figure-value')?.textContent === '8')
    expect(await page.getByText(/what you see is old/).count()).toBe(0)
    await again.stop('SIGINT')
    await close()
  })

  test('without the key of the printed link there is nothing but a hint', async () => {
    const { page, close } = await open(browser, new URL(full.line).origin + '/')
    await page.getByText('Open the link that the terminal printed').waitFor()
    await close()
  })
})
