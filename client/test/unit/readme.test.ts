// The code of README.md, which is the package's page on npm, and of docs/REACT.md is held to the types of what it talks about.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the code of the pages compiles', async () => {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const pages = await Promise.all(['README.md', '../docs/REACT.md'].map(page => readFile(join(root, page), 'utf8')))
  const blocks = [...pages.join('\n').matchAll(/^```(tsx?)\n(.*?)^```$/gms)]
  expect(blocks.length).toBeGreaterThanOrEqual(7)
  const folder = await mkdtemp(join(root, '.readme-'))
  try {
    await Promise.all(blocks.map(async ([, language, code], at) => { await writeFile(join(folder, `block${at}.${language}`), code!) }))
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: { paths: { '@symphony-rt/client': ['../src/index.ts'], '@symphony-rt/client/*': ['../src/*/index.ts'] } },
      include: ['block*']
    }))
    const output = await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder]).then(() => '', (error: { stdout: string }) => error.stdout)
    expect(output).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)
