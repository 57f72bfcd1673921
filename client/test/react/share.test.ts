import { describe, expect, test } from 'vitest'
import { shallowEqual } from '../../src/react/equal'
import { share } from '../../src/react/share'
import { type Random, random, seed } from '../e2e/random'

/** Any JSON value; small, so that equal ones come up often. */
function json (r: Random, depth = 3): unknown {
  const kind = r.below(depth === 0 ? 4 : 7)
  if (kind === 0) return null
  if (kind === 1) return r.below(3)
  if (kind === 2) return ['', 'a', '__proto__'][r.below(3)]
  if (kind === 3) return r.chance(0.5)
  if (kind < 6) return Array.from({ length: r.below(4) }, () => json(r, depth - 1))
  return JSON.parse(`{${Array.from({ length: r.below(3) }, () => `${JSON.stringify(['a', 'b', '__proto__', 'constructor'][r.below(4)])}:${JSON.stringify(json(r, depth - 1))}`).join(',')}}`)
}

describe('share', () => {
  test('gives what was asked for, and the old object exactly when the content is equal', () => {
    const r = random(seed)
    for (let round = 0; round < 1500; round++) {
      const [previous, next] = [json(r), json(r)]
      const [before, wanted] = [JSON.stringify(previous), JSON.stringify(next)]
      const result = share(previous, next)
      expect(JSON.stringify(result)).toBe(wanted) // the order of keys too
      expect(JSON.stringify(previous)).toBe(before)
      expect(share(result, structuredClone(result))).toBe(result)
    }
  })

  test('keeps the identity of what stands around a change, also when its index moves', () => {
    const previous = [{ id: 1 }, { id: 2, tags: ['a'] }, { id: 3 }]
    const inserted = share(previous, [{ id: 1 }, { id: 9 }, { id: 2, tags: ['a'] }, { id: 3 }])
    expect([inserted[0], inserted[2], inserted[3]].map((item, at) => item === previous[at])).toEqual([true, true, true])
    const changed = share(previous, [{ id: 1 }, { id: 2, tags: ['a'], done: true }, { id: 3 }] as typeof previous)
    expect(changed[0]).toBe(previous[0])
    expect(changed[1]!.tags).toBe(previous[1]!.tags)
    expect(changed[2]).toBe(previous[2])
    expect(share(previous, structuredClone(previous))).toBe(previous)
  })
})

test.each([
  [1, 1, true], [NaN, NaN, true], [0, -0, false], [null, {}, false], ['a', 'a', true],
  [[1, 2], [1, 2], true], [[1, 2], [1, 3], false], [[], {}, false], [[1], [1, 2], false],
  [{ a: 1 }, { a: 1 }, true], [{ a: undefined }, { b: undefined }, false], [{ a: {} }, { a: {} }, false],
  [new Map([[1, 1]]), new Map([[2, 2]]), false], [new Date(1), new Date(2), false]
])('shallowEqual(%o, %o) is %s', (a, b, equal) => { expect(shallowEqual(a, b)).toBe(equal) })
