import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AddressError, readAddress } from '../src/address'
import { Camera, MAX_ZOOM, MIN_ZOOM } from '../src/camera'
import { cleanName, MAX_NAME, USER_COLORS } from '../src/memory'
import { readPerson } from '../src/presence'
import { outlinePath, strokePath } from '../src/stroke'
import { throttle } from '../src/throttle'
import { movedCaret, textChange } from '../src/typing'
import { roomName, userName } from '../src/words'
import { handleKey, type Keys } from '../src/keyboard'
import { random, seed } from './random'
import { shape } from './shapes'

describe('the address', () => {
  const read = (url: string, configured?: string) => readAddress(new URL(url), configured, () => 'new-room')

  it('gives the room and the page’s own server', () => {
    expect(read('http://127.0.0.1:8787/?room=plans%20%26%20more')).toEqual({
      room: 'plans & more', fresh: false, server: 'ws://127.0.0.1:8787/dev', token: null, link: 'http://127.0.0.1:8787/?room=plans+%26+more'
    })
    expect(read('https://example.org/board/?room=a').server).toBe('wss://example.org/dev')
  })

  it('makes a room when there is none', () => {
    for (const url of ['http://h/', 'http://h/?room=']) expect(read(url)).toMatchObject({ room: 'new-room', fresh: true, link: 'http://h/?room=new-room' })
  })

  it('takes another server, from the link or from the build', () => {
    expect(read('http://h/?room=a&server=wss://x.example/prod/').server).toBe('wss://x.example/prod')
    expect(read('http://h/?room=a', 'wss://built.example/prod').server).toBe('wss://built.example/prod')
    expect(read('http://h/?room=a&server=wss://x.example/prod').link).toBe('http://h/?room=a&server=wss%3A%2F%2Fx.example%2Fprod')
  })

  it('never puts a token into the link to share', () => {
    const address = read('http://h/?room=a&token=secret#x')
    expect(address.token).toBe('secret')
    expect(address.link).toBe('http://h/?room=a')
  })

  it('refuses what the server would refuse', () => {
    expect(read(`http://h/?room=${'é'.repeat(128)}`).room).toHaveLength(128)
    expect(() => read(`http://h/?room=${'é'.repeat(128)}x`)).toThrow(AddressError)
    for (const server of ['https://x', 'javascript:alert(1)', 'nowhere']) expect(() => read(`http://h/?room=a&server=${server}`)).toThrow(AddressError)
  })

  it('makes names to read aloud', () => {
    expect(roomName(() => 0)).toBe('amber-badger-aaaaaaaa')
    expect(roomName()).not.toBe(roomName())
    expect(userName(() => 1)).toBe('Brave Crane')
  })
})

describe('the camera', () => {
  it('keeps what is under the pointer there when it zooms', () => {
    const camera = new Camera()
    camera.set({ x: 13, y: -40, zoom: 0.7 })
    const before = camera.toWorld([300, 200])
    camera.zoomAt([300, 200], 2.3)
    expect(camera.toWorld([300, 200])[0]).toBeCloseTo(before[0])
    expect(camera.toWorld([300, 200])[1]).toBeCloseTo(before[1])
    const [x, y] = camera.toScreen(camera.toWorld([7, 9]))
    expect([Math.round(x), Math.round(y)]).toEqual([7, 9])
  })

  it('has limits', () => {
    const camera = new Camera()
    camera.zoomAt([0, 0], 1e9)
    expect(camera.view.zoom).toBe(MAX_ZOOM)
    camera.zoomAt([0, 0], 1e-9)
    expect(camera.view.zoom).toBe(MIN_ZOOM)
  })

  it('fits a box, and never makes it larger than life', () => {
    const camera = new Camera()
    camera.fit({ x: -1000, y: 0, w: 2000, h: 10 }, [500, 500], 50)
    expect(camera.view.zoom).toBeCloseTo(0.2)
    expect(camera.toScreen([0, 5])).toEqual([250, 250])
    camera.fit({ x: 0, y: 0, w: 10, h: 10 }, [500, 500], 50)
    expect(camera.view.zoom).toBe(1)
  })
})

describe('throttle', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it('runs at once, then once per interval, the last call always', () => {
    let runs = 0
    const call = throttle(() => { runs++ }, 50, () => Date.now())
    call(); call(); call()
    expect(runs).toBe(1)
    vi.advanceTimersByTime(50)
    expect(runs).toBe(2)
    vi.advanceTimersByTime(500)
    expect(runs).toBe(2)
  })

  it('can be hurried and forgotten', () => {
    let runs = 0
    const call = throttle(() => { runs++ }, 50, () => Date.now())
    call(); call(); call.flush(); call.flush()
    expect(runs).toBe(2)
    call(); call.cancel()
    vi.advanceTimersByTime(500)
    expect(runs).toBe(2)
  })
})

describe('typing', () => {
  it('is one replacement that never cuts a surrogate pair', () => {
    const r = random(seed())
    const letters = ['a', 'b', '😀', '😁', '漢', '\n']
    const text = () => Array.from({ length: r.below(8) }, () => letters[r.below(6)]).join('')
    for (let i = 0; i < 5_000; i++) {
      const [from, to] = [text(), text()]
      const { at, remove, insert } = textChange(from, to)
      expect(from.slice(0, at) + insert + from.slice(at + remove)).toBe(to)
      for (const part of [insert, from.slice(at, at + remove), from.slice(0, at)]) expect(() => encodeURIComponent(part)).not.toThrow()
    }
  })

  it('changes little', () => {
    expect(textChange('hello world', 'hello big world')).toEqual({ at: 6, remove: 0, insert: 'big ' })
    expect(textChange('aaa', 'aa')).toEqual({ at: 2, remove: 1, insert: '' })
    expect(textChange('x', 'x')).toEqual({ at: 1, remove: 0, insert: '' })
  })

  it('keeps the caret where it was in the words', () => {
    expect(movedCaret(5, [{ insert: 'abc' }])).toBe(8)
    expect(movedCaret(5, [{ retain: 5 }, { insert: 'abc' }])).toBe(5)
    expect(movedCaret(5, [{ retain: 1 }, { delete: 2 }])).toBe(3)
    expect(movedCaret(5, [{ retain: 4 }, { delete: 10 }])).toBe(4)
    expect(movedCaret(5, [{ retain: 6 }, { delete: 1 }])).toBe(5)
  })
})

describe('presence', () => {
  it('reads what others say of themselves with care', () => {
    expect(readPerson(7, { user: { name: ' A  B ', color: '#123456' }, cursor: [1, 2], selection: ['a', 3, 'b'] }))
      .toEqual({ client: 7, name: 'A B', color: '#123456', cursor: [1, 2], selection: ['a', 'b'] })
    for (const state of [null, 5, {}, { user: null }, { user: 'me' }]) expect(readPerson(1, state)).toBeNull()
    expect(readPerson(3, { user: { name: '', color: 'red;background:url(x)' }, cursor: [NaN, 1], selection: 'all' }))
      .toEqual({ client: 3, name: 'Someone', color: USER_COLORS[3], cursor: null, selection: [] })
  })

  it('cuts names between letters', () => {
    expect([...cleanName('😀'.repeat(99))]).toHaveLength(MAX_NAME)
  })
})

describe('strokes', () => {
  it('are closed paths, a dot too', () => {
    for (const points of [[0, 0], [0, 0, 10, 10], [0, 0, 100, 0, 200, 100, 100, 100]]) {
      expect(strokePath(shape('pen', [0, 0], { points }))).toMatch(/^M-?[\d.]+ -?[\d.]+(Q[-\d. ]+)+Z$/)
    }
    expect(strokePath(shape('pen', [0, 0]))).toBe('')
    expect(outlinePath([[0, 0], [1, 1]])).toBe('')
  })
})

describe('keys', () => {
  const press = (key: string, on: Partial<{ ctrlKey: boolean, shiftKey: boolean, altKey: boolean, code: string }> = {}, onBoard = true) => {
    const done: string[] = []
    const record = (name: string) => (...args: unknown[]) => { done.push([name, ...args].join(' ')) }
    const actions = new Proxy({}, { get: (_, name) => record(String(name)) }) as Keys['actions']
    const used = handleKey({ key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...on },
      { actions, onBoard: () => onBoard, escape: record('escape'), help: record('help') }, onBoard)
    return used ? done.join() : null
  }

  it.each([
    ['p', {}, 'tool pen'], ['P', {}, 'tool pen'], ['3', {}, 'style [object Object]'], ['9', {}, null], ['z', { ctrlKey: true }, 'undo'],
    ['Z', { ctrlKey: true, shiftKey: true }, 'redo'], ['ArrowUp', {}, 'nudge 0 -2'], ['ArrowLeft', { shiftKey: true }, 'nudge -16 0'],
    ['!', { shiftKey: true, code: 'Digit1' }, 'zoomFit'], ['N', { shiftKey: true }, 'selectNext -1'], ['p', { altKey: true }, null],
    ['r', { ctrlKey: true }, null], [' ', {}, null], ['Enter', {}, 'enter'], ['?', {}, 'help'], ['Escape', {}, 'escape']
  ] as const)('%s %o', (key, on, want) => expect(press(key, on)).toBe(want))

  it('leaves Enter and arrows to buttons', () => {
    expect(press('Enter', {}, false)).toBeNull()
    expect(press('ArrowUp', {}, false)).toBeNull()
  })
})
