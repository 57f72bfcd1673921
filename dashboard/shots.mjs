// Pictures of every view, to be looked at: npm run shots [-- <folder>]
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build, launch, root, start } from './browser/chromium.mjs'

const folder = process.argv[2] ?? join(root, 'build', 'dashboard-shots')
mkdirSync(folder, { recursive: true })
const room = encodeURIComponent('plan/⭐ <b>launch</b> & more')
const views = { overview: '', rooms: 'rooms', room: `room?id=${room}`, functions: 'functions', logs: 'logs' }
const sizes = { phone: [360, 780], laptop: [1280, 800], wide: [2560, 1440], four: [3840, 2160] }
const only = process.env.ONLY?.split(',')

const fixture = build('fixture', './dashboard/fixture')
const browser = await launch()
for (const [kind, args] of Object.entries({ full: ['--allow-changes'], empty: ['--rooms', '0'], unknown: ['--unknown'] })) {
  const server = await start(fixture, args)
  const base = new URL(server.line)
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({ colorScheme: theme })
    const page = await context.newPage()
    await page.goto(server.line)
    for (const [view, path] of Object.entries(views)) {
      for (const [size, [width, height]] of Object.entries(sizes)) {
        const name = `${kind}-${view}-${size}-${theme}`
        if (kind !== 'full' && (size === 'wide' || size === 'four' || theme === 'dark')) continue
        if (size === 'four' && theme === 'dark') continue
        if (only !== undefined && !only.some(o => name.includes(o))) continue
        await page.setViewportSize({ width, height })
        await page.goto(base.origin + '/' + path)
        await page.waitForSelector('h1')
        await page.waitForTimeout(700)
        await page.screenshot({ path: join(folder, `${name}.png`), fullPage: size !== 'four' && view !== 'rooms' })
      }
    }
    await context.close()
  }
  await server.stop('SIGINT')
}
await browser.close()
console.log(folder)
