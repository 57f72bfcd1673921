// examples/editors: four Yjs bindings as published, on SymphonyProvider, in Chromium.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../src/testing'
import { missing, noChromium, PATIENCE, People } from './chromium'

const dist = fileURLToPath(new URL('../../../examples/editors/dist', import.meta.url))
const skip = missing(noChromium('the editor bindings were')) ||
  missing(!existsSync(`${dist}/index.html`) && 'NOT BUILT: examples/editors was NOT tested. Run `make editors`.')

/** Where each binding's users type, what they see of others, and how they format. */
const EDITORS = [
  { name: 'codemirror', text: '#codemirror .cm-content', cursor: '#codemirror .cm-ySelectionInfo', bold: null, redo: 'Control+y' },
  { name: 'tiptap', text: '#tiptap .tiptap', cursor: '#tiptap .collaboration-carets__label', bold: 'strong', redo: 'Control+Shift+z' },
  { name: 'quill', text: '#quill .ql-editor', cursor: '#quill .ql-cursor-name', bold: 'strong', redo: 'Control+Shift+z' },
  { name: 'lexical', text: '#lexical .lexical', cursor: '#lexical .lexical-cursors span > span:not(:empty)', bold: 'strong', redo: 'Control+Shift+z' }
]

describe.skipIf(skip)('examples/editors', () => {
  let server: LocalServer
  let people: People
  let a: Page
  let b: Page

  beforeAll(async () => {
    server = await startLocalServer({ args: ['--pages', dist] })
    people = await People.start()
    a = await people.open(`${server.url}?name=Ada`)
    b = await people.open(`${server.url}?name=Grace`)
  })
  afterEach(() => { expect(people.errors.splice(0)).toEqual([]) })
  afterAll(async () => {
    await people?.end()
    await server?.stop()
  })

  describe.each(EDITORS)('$name', ({ name, text, cursor, bold, redo }) => {
    /** The text, without others' names and zero-width helpers. */
    const read = (page: Page): Promise<string> => page.locator(text).evaluate(element => {
      const copy = element.cloneNode(true) as Element
      for (const other of copy.querySelectorAll('.cm-ySelectionCaret, .collaboration-carets__caret, .ql-cursor')) other.remove()
      return copy.textContent!.replace(/[\u2060\ufeff]/g, '')
    })
    const reads = (page: Page, expected: string) => expect.poll(() => read(page), PATIENCE).toBe(expected)
    const sees = (page: Page, expected: string, selector: string) => expect.poll(() => page.locator(selector).allTextContents(), PATIENCE).toEqual([expected])
    const saved = (page: Page): Promise<void> => page.locator(`#${name} .status[data-state="saved"]`).waitFor()

    /** As often as it takes: on a slow machine, typing may have become two steps. */
    const press = (page: Page, key: string, expected: string) => expect.poll(async () => {
      await page.keyboard.press(key)
      return await read(page)
    }, { ...PATIENCE, interval: 200 }).toBe(expected)

    /** Clicks into the text, and goes to one end of it. */
    async function at (page: Page, end: 'Home' | 'End'): Promise<void> {
      await page.locator(text).click()
      await page.keyboard.press(`Control+${end}`)
    }

    test('two type at once, see each other, and find it after a reload', async () => {
      await at(a, 'Home')
      await a.keyboard.type('start ')
      await reads(b, 'start ')
      await at(b, 'End')
      await sees(a, 'Grace', cursor)
      await sees(b, 'Ada', cursor)
      await at(a, 'Home')
      // Each goes on where their cursor was, whatever the other does.
      await Promise.all([a.keyboard.type('abcdefghij', { delay: 15 }), b.keyboard.type('0123456789', { delay: 15 })])
      for (const page of [a, b]) await reads(page, 'abcdefghijstart 0123456789')
      for (const page of [a, b]) await saved(page)
      for (const page of [a, b]) await page.reload()
      for (const page of [a, b]) await reads(page, 'abcdefghijstart 0123456789')
    })

    test('P18: undo takes back one\'s own typing only', async () => {
      await at(a, 'Home')
      await a.keyboard.type('mine')
      await reads(b, 'mineabcdefghijstart 0123456789')
      await at(b, 'End')
      await b.keyboard.type('yours')
      await reads(a, 'mineabcdefghijstart 0123456789yours')
      await press(a, 'Control+z', 'abcdefghijstart 0123456789yours')
      await reads(b, 'abcdefghijstart 0123456789yours')
      await press(a, redo, 'mineabcdefghijstart 0123456789yours')
      await reads(b, 'mineabcdefghijstart 0123456789yours')
    })

    if (bold !== null) test('formatting arrives, and outlives a reload', async () => {
      await at(a, 'End')
      await a.keyboard.press('Control+b')
      await a.keyboard.type('bold')
      await sees(b, 'bold', `${text} ${bold}`)
      await saved(a)
      await b.reload()
      await sees(b, 'bold', `${text} ${bold}`)
    })
  })
})
