// Property tests that can be repeated: SYMPHONY_SEED=… (printed), SYMPHONY_RUNS=… for more of them.

import fc from 'fast-check'
import { vi } from 'vitest'
import { seed } from '../../e2e/random'

// A loaded machine is no failure.
vi.setConfig({ testTimeout: 120_000 })

/** Runs a property `runs` times from the printed seed. */
export function check (property: fc.IProperty<any> | fc.IAsyncProperty<any>, runs: number): void | Promise<void> {
  const scale = Number(process.env.SYMPHONY_RUNS ?? 1)
  return fc.assert(property as fc.IProperty<any>, { seed, numRuns: runs * scale, endOnFailure: process.env.SYMPHONY_SHRINK === '0' })
}

/** JSON of every kind: also empty, falsy, nested and with odd keys. */
export const json: fc.Arbitrary<any> = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, -0, 1, 0.5, -(2 ** 40), 1e300, '', 'a', 'b', '😀', '__proto__', 'constructor'),
    fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('', 'a', 'length', 'constructor', 'size'), fc.string({ maxLength: 3 })), tie('value'), { maxKeys: 3, noNullPrototype: true }))
})).value
