import { expect, test } from 'vitest'
import { address } from '../src/api'
import { ago, bytes, count, dollars, known, level, milliseconds, plural, seconds, since } from '../src/format'

test('figures are written for people', () => {
  expect([0, 999, 1234, 9_999_999, 12_345_678, 3.2e10].map(count)).toEqual(['0', '999', '1,234', '9,999,999', '12.3 M', '32 G'])
  expect([0, 0.001, 0.5, 3.456, 45.67, 1234.5].map(level)).toEqual(['0', '1e-3', '0.5', '3.46', '45.7', '1,235'])
  expect([0, 1, 999, 1000, 999_499, 999_500, 1_250_000, 5e12].map(bytes)).toEqual(['0 B', '1 B', '999 B', '1 kB', '999 kB', '1 MB', '1.3 MB', '5 TB'])
  expect([0, 0.05, 4.2, 99.94, 250, 1500].map(milliseconds)).toEqual(['0 ms', '0.05 ms', '4.2 ms', '99.9 ms', '250 ms', '1.5 s'])
  expect([0, 0.2, 8.25, 120, 9000].map(seconds)).toEqual(['0 s', '200 ms', '8.3 s', '2 min', '2.5 h'])
  expect([0, 0.00001, 0.0123, 3.267, 1234].map(dollars)).toEqual(['$0', '<$0.0001', '$0.0123', '$3.27', '$1,234'])
  expect([plural(1, 'room'), plural(0, 'room'), plural(1200, 'edit')]).toEqual(['1 room', '0 rooms', '1,200 edits'])
})

test('times are told from now', () => {
  const now = 1_800_000_000_000
  const back = (s: number) => ago(now - s * 1000, now)
  expect([-3, 0, 59, 60, 3599, 3600, 86_399, 86_400, 3 * 86_400].map(back)).toEqual(['just now', 'just now', '59 s ago', '1 min ago', '59 min ago', '1 h ago', '23 h ago', 'yesterday', '3 days ago'])
  expect([since(now - 61_000, now), since(now - 3_720_000, now)]).toEqual(['1 min', '1 h 2 min'])
  expect(known('0001-01-01T00:00:00Z')).toBeUndefined()
  expect(known('2026-11-01T12:00:00Z')).toBe(Date.UTC(2026, 10, 1, 12))
})

test('addresses carry any room name', () => {
  expect(address('/room', { id: 'a/b & ⭐?#' })).toBe('/room?id=a%2Fb+%26+%E2%AD%90%3F%23')
  expect(address('/rooms', { q: '', active: false, page: undefined, sort: 'name' })).toBe('/rooms?sort=name')
  expect(address('/rooms')).toBe('/rooms')
})
