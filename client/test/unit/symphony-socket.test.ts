import { beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { gatewayURL, symphonySocket, type Problem } from '../../src/shim/symphony-socket.js'

/** A WebSocket that only remembers. */
class FakeSocket {
  static last: FakeSocket
  readyState = 0
  bufferedAmount = 7
  protocol = 'p'
  sent: string[] = []
  closed: unknown[] = []
  onopen?: (e: unknown) => void
  onclose?: (e: unknown) => void
  onerror?: (e: unknown) => void
  onmessage?: (e: { data: unknown }) => void
  constructor (readonly url: string, readonly protocols: unknown) { FakeSocket.last = this }
  send (frame: string) { this.sent.push(frame) }
  close (...args: unknown[]) { this.closed = args }
}

const problems: Problem[] = []
const open = (url = 'ws://host/dev/room', protocols?: string[]) => {
  const Socket = symphonySocket(Y, {
    WebSocket: FakeSocket as unknown as typeof WebSocket,
    onProblem: p => problems.push(p)
  })
  const socket = new Socket(url, protocols)
  return { socket, inner: FakeSocket.last }
}
const bytes = (...b: number[]) => btoa(String.fromCharCode(...b))

beforeEach(() => {
  problems.length = 0
  for (const level of ['error', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {})
})

describe('gatewayURL', () => {
  it.each([
    ['ws://h:1/dev/plans', 'ws://h:1/dev?room=plans'],
    ['wss://h/prod/plans?token=a%2Bb&x=1', 'wss://h/prod?room=plans&token=a%2Bb&x=1'],
    [`wss://h/prod/${encodeURIComponent('a/b?c#d%&e=é😀')}`, `wss://h/prod?room=${encodeURIComponent('a/b?c#d%&e=é😀')}`],
    ['ws://h/dev/..', 'ws://h/dev?room=..'],
    ['ws://h/dev/100%', 'ws://h/dev?room=100%25'],
    ['ws://h/dev/two words', 'ws://h/dev?room=two%20words'],
    ['ws://h/dev/r?next=/a/b', 'ws://h/dev?room=r&next=/a/b']
  ])('%s', (from, to) => expect(gatewayURL(from)).toBe(to))
})

describe('the socket', () => {
  it('hands on what WebSocket has', () => {
    const { socket, inner } = open('ws://host/dev/room', ['token.abc'])
    expect(inner.protocols).toEqual(['token.abc'])
    expect([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([0, 1, 2, 3])
    inner.readyState = 1
    expect(socket.readyState).toBe(socket.OPEN)
    expect(socket.bufferedAmount).toBe(7)
    expect(socket.protocol).toBe('p')
    expect(socket.url).toBe('ws://host/dev?room=room')
    const seen: unknown[] = []
    socket.onopen = () => seen.push('open')
    socket.onclose = e => seen.push(e.code)
    inner.onopen?.({})
    inner.onclose?.({ code: 1009 })
    expect(seen).toEqual(['open', 1009])
    socket.close(4000, 'bye')
    expect(inner.closed).toEqual([4000, 'bye'])
  })

  it('sends base64 and gives back bytes', () => {
    const { socket, inner } = open()
    socket.send(Uint8Array.of(0, 0, 1, 0))
    socket.send(Uint8Array.of(9, 3, 9).subarray(1, 2))
    expect(inner.sent).toEqual(['AAABAA==', 'Aw=='])
    const got: unknown[] = []
    socket.onmessage = e => got.push(e.data)
    inner.onmessage?.({ data: bytes(1, 2, 3) })
    expect(got).toEqual([Uint8Array.of(1, 2, 3).buffer])
  })

  it.each(['', '***', '{"message": "Internal server error"}', Uint8Array.of(1), new ArrayBuffer(3)])('connects again after a frame it cannot read: %o', data => {
    const { socket, inner } = open()
    const got: unknown[] = []
    socket.onmessage = e => got.push(e.data)
    inner.onmessage?.({ data })
    expect(problems.map(p => p.kind)).toEqual(['bad-frame'])
    expect(inner.closed).toEqual([4000, 'a message was not delivered'])
    expect(got).toEqual([])
  })

  it('connects again when the same may be accepted later', () => {
    const { inner } = open()
    inner.onmessage?.({ data: bytes(131, 1, 9, 0, 100, 4, 119, 97, 105, 116) })
    expect(problems).toEqual([{ kind: 'refused', code: 9, retry: true, text: 'wait' }])
    expect(inner.closed).toEqual([4000, 'a message was not stored'])
  })

  it('tells what the server refuses, and hides its own messages from the provider', () => {
    const { socket, inner } = open()
    const got: unknown[] = []
    const errors: Event[] = []
    socket.onmessage = e => got.push(e.data)
    socket.onerror = e => errors.push(e)
    inner.onmessage?.({ data: bytes(131, 1, 4, 0, 0, 3, 110, 111, 33) })
    inner.onmessage?.({ data: bytes(130, 1, 0, 0) })
    inner.onmessage?.({ data: bytes(131, 1, 4) })
    expect(problems).toEqual([
      { kind: 'refused', code: 4, retry: false, text: 'no!' },
      { kind: 'bad-frame', text: 'the server sent an error frame that does not decode' }
    ])
    expect(errors).toHaveLength(2)
    expect(got).toEqual([])
    expect(inner.closed).toEqual([])
  })

  it('tells when something is too large to send', () => {
    const { socket, inner } = open()
    const doc = new Y.Doc()
    doc.getMap('m').set('image', new Uint8Array(30_000))
    const update = Y.encodeStateAsUpdate(doc)
    const message = new Uint8Array([0, 2, 0, 0, 0, ...update])
    message.set([0x80 | (update.length & 127), 0x80 | ((update.length >> 7) & 127), update.length >> 14], 2)
    socket.send(message)
    expect(inner.sent).toEqual([])
    expect(problems.map(p => p.kind)).toEqual(['too-large'])
  })
})
