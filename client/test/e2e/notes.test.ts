// examples/notes, and with it the React hooks, in Chromium on the real local server.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { missing, noChromium, PATIENCE, People } from './chromium'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const skip = missing(noChromium('examples/notes was')) ||
  missing(!existsSync(`${examples}/notes/dist/index.html`) && 'NOT BUILT: examples/notes was NOT tested. Run `make notes`.')

describe.skipIf(skip)('examples/notes', () => {
  let server: LocalServer
  let people: People
  let a: Page
  let b: Page

  beforeAll(async () => {
    server = await startLocalServer({ args: ['--examples', examples] })
    people = await People.start()
    a = await people.open(`${server.url}notes/`)
    b = await people.open(`${server.url}notes/`)
    for (const page of [a, b]) await saved(page)
  })
  afterEach(() => { expect(people.errors.splice(0)).toEqual([]) })
  afterAll(async () => {
    await people?.end()
    await server?.stop()
  })

  const titles = (page: Page, expected: string[]) => expect.poll(() => page.locator('.list b').allTextContents(), PATIENCE).toEqual(expected)
  const reads = (page: Page, expected: string) => expect.poll(() => page.locator('.cm-content').evaluate(content => {
    const copy = content.cloneNode(true) as Element
    for (const other of copy.querySelectorAll('.cm-ySelectionCaret')) other.remove()
    return [...copy.querySelectorAll('.cm-line')].map(line => line.textContent!.replace(/\u2060/g, '')).join('\n')
  }), PATIENCE).toBe(expected)
  const saved = (page: Page): Promise<void> => page.locator('.status[data-state="saved"]').waitFor()
  const count = (page: Page, selector: string, expected: number) => expect.poll(() => page.locator(selector).count(), PATIENCE).toBe(expected)

  test('a note made with the keyboard, its title and its text appear for the other one', async () => {
    await a.keyboard.press('Alt+n')
    await a.locator('.title:focus').waitFor()
    await a.keyboard.type('Plan')
    await a.keyboard.press('Enter')
    await a.keyboard.type('First line')
    await titles(b, ['Plan'])
    await b.locator('.list a').click()
    await reads(b, 'First line')
    // Each sees who else has the note open, and their cursor.
    for (const page of [a, b]) await count(page, '.dots i', 1)
    await b.locator('.cm-content').click()
    await b.keyboard.press('Control+End')
    for (const page of [a, b]) await count(page, '.cm-ySelectionInfo', 1)
    for (const page of [a, b]) await count(page, '.people .avatar', 1)
  })

  test('a new name shows at the others; Escape closes what asks for it, and not the note', async () => {
    await a.locator('button.avatar').click()
    await a.locator('#me input').fill('Zoe Ro')
    await expect.poll(() => b.locator('.people .avatar').allTextContents(), PATIENCE).toEqual(['ZR'])
    await a.keyboard.press('Escape')
    await a.locator('.popover').waitFor({ state: 'hidden' })
    await a.locator('.cm-content').click()
  })

  test('P21: both type at once; P18: undo takes back one\'s own', async () => {
    await a.keyboard.press('Control+Home')
    await Promise.all([a.keyboard.type('abcdef', { delay: 15 }), b.keyboard.type('123456', { delay: 15 })])
    for (const page of [a, b]) await reads(page, 'abcdefFirst line123456')
    // As often as it takes: on a slow machine, typing may have become two steps.
    await expect.poll(async () => {
      await b.keyboard.press('Control+z')
      return await b.locator('.cm-line').first().textContent()
    }, { ...PATIENCE, interval: 200 }).not.toMatch(/\d/)
    for (const page of [a, b]) await reads(page, 'abcdefFirst line')
  })

  test('search finds titles and texts; arrows go through the list', async () => {
    await b.keyboard.press('Alt+n')
    await b.locator('.title:focus').waitFor()
    await b.keyboard.type('Groceries')
    await titles(a, ['Groceries', 'Plan'])
    await a.keyboard.press('Control+k')
    await a.keyboard.type('abc LINE')
    await titles(a, ['Plan'])
    await a.locator('.search').fill('')
    await titles(a, ['Groceries', 'Plan'])
    await a.keyboard.press('ArrowDown')
    await a.keyboard.press('ArrowDown')
    await expect.poll(() => a.locator('a:focus b').allTextContents(), PATIENCE).toEqual(['Plan'])
  })

  test('what is deleted is gone for everybody, and comes back with its text', async () => {
    await a.keyboard.press('Delete')
    await a.locator('.toast').hover() // as long as that, it stays
    await titles(b, ['Groceries'])
    await a.locator('.toast button').click()
    await titles(b, ['Groceries', 'Plan'])
    await count(a, '.toast', 0)
    await b.locator('.list a', { hasText: 'Plan' }).click()
    await reads(b, 'abcdefFirst line')
  })

  test('a note that somebody else deletes is closed', async () => {
    await a.locator('.list a', { hasText: 'Plan' }).focus()
    await a.keyboard.press('Delete')
    await a.locator('.toast').hover()
    await b.locator('.empty').waitFor()
    await a.locator('.toast button').click()
    await titles(b, ['Groceries', 'Plan'])
  })

  test('P20: without the server it goes on, reloads in between, and loses nothing', async () => {
    await b.locator('.list a', { hasText: 'Plan' }).click()
    await b.locator('.cm-content').click()
    await b.keyboard.press('Control+End')
    await saved(b)
    await server.kill()
    await b.locator('.status[data-state="offline"]').waitFor()
    await b.keyboard.type(' offline')
    await reads(b, 'abcdefFirst line offline')
    await server.restart()
    await saved(b)
    await a.locator('.list a', { hasText: 'Plan' }).click()
    await reads(a, 'abcdefFirst line offline')
    await a.reload() // the address says which note is open
    await reads(a, 'abcdefFirst line offline')
    people.errors.splice(0) // the browser's words about the connection
  })

  test('P3: somebody who closes the page is gone', async () => {
    await b.close()
    await count(a, '.people .avatar', 0)
    await count(a, '.dots i', 0)
  })

  test('on a phone: the list or a note, and the way back', async () => {
    const phone = await people.open(`${server.url}notes/`, { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true })
    await phone.locator('.list a', { hasText: 'Plan' }).tap()
    await phone.locator('.note').waitFor()
    expect(await phone.locator('.side').isVisible()).toBe(false)
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    await phone.locator('.back').tap()
    await phone.locator('.side').waitFor()
    expect(await phone.locator('.note').isVisible()).toBe(false)
  })
})
