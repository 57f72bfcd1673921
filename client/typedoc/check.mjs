// Fails when docs/api is not what the doc comments say now.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const committed = join(here, '../../docs/api')
const fresh = mkdtempSync(join(tmpdir(), 'symphony-api-'))

const read = folder => new Map(readdirSync(folder, { recursive: true }).filter(name => name.endsWith('.md')).sort().map(name => [name, readFileSync(join(folder, name), 'utf8')]))

try {
  execFileSync(process.execPath, [join(here, 'node_modules/typedoc/bin/typedoc'), '--out', fresh, '--logLevel', 'Error'], { cwd: here, stdio: 'inherit' })
  const [want, have] = [read(fresh), read(committed)]
  const stale = [...new Set([...want.keys(), ...have.keys()])].filter(name => want.get(name) !== have.get(name))
  if (stale.length > 0) {
    console.error(`docs/api is not current (${stale.join(', ')}): run \`make api\` and commit what it writes.`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
