import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

/** The React layer's tests, with React 19 or with the React 18 of test/react-18. */
function react (version: 18 | 19): TestProjectInlineConfiguration {
  const folder = fileURLToPath(new URL('test/react-18/node_modules', import.meta.url))
  if (version === 18 && !existsSync(folder)) {
    const reason = 'NOT INSTALLED: the hooks were NOT tested with React 18. Run `npm ci` in client/test/react-18.'
    if (process.env.SYMPHONY_REQUIRE_ALL === '1') throw new Error(reason)
    console.error(`\n!!! ${reason}\n`)
  }
  const packages = ['react', 'react-dom', '@testing-library/react', '@testing-library/dom']
  return {
    resolve: { alias: version === 19 ? {} : Object.fromEntries(packages.map(name => [name, `${folder}/${name}`])) },
    test: {
      name: `react-${version}`,
      include: version === 18 && !existsSync(folder) ? [] : ['test/react/**/*.test.{ts,tsx}'],
      environment: 'happy-dom',
      testTimeout: 120_000, // a bound for a broken run on a slow machine
      setupFiles: ['test/react/setup.ts'],
      env: { REACT: String(version) }
    }
  }
}

export default defineConfig({
  test: {
    projects: [
      // A bound for a broken run on a slow machine; nothing is asserted about time.
      { test: { name: 'unit', include: ['src/**/*.test.{ts,tsx}', 'test/unit/**/*.test.{ts,tsx}'], testTimeout: 120_000 } },
      react(18),
      react(19),
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Some install packages, several at once.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          pool: 'forks'
        }
      }
    ]
  }
})
