// A drop-in for y-websocket's WebsocketProvider: everything it has, by reflection on the real one, and how it behaves.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebsocketProvider } from 'y-websocket'
import { Awareness } from 'y-protocols/awareness'
import * as encoding from 'lib0/encoding'
import { writeSyncStep2 } from 'y-protocols/sync'
import * as Y from 'yjs'
import { SymphonyProvider } from '../../src'
import { FakeClock, fakeSockets, settle } from '../../src/testing'
import { world, WELCOME } from './world'

/** What of theirs is not here, and why nobody misses it. */
const ABSENT: Record<string, string> = {
  _WS: 'private', _synced: 'private', _resyncInterval: 'private', _bcSubscriber: 'private', _updateHandler: 'private',
  _awarenessUpdateHandler: 'private', _exitHandler: 'private', _checkInterval: 'private', _observers: 'of lib0', constructor: 'another class',
  messageHandlers: 'messages are typed; apps send events (docs/PROTOCOL.md)',
  wsUnsuccessfulReconnects: 'a counter of its own; lost-connection says what an app wants to know',
  wsLastMessageReceived: 'for its watchdog; here probes find a dead connection',
  maxBackoffTime: 'an option only', protocols: 'an option only', disableBc: 'an option only', shouldReconnect: 'an option only'
}

class TheirSocket {
  static OPEN = 1
  OPEN = 1
  readyState = 0
  binaryType = ''
  onopen: ((event: any) => void) | null = null
  onmessage: ((event: any) => void) | null = null
  onerror: ((event: any) => void) | null = null
  onclose: ((event: any) => void) | null = null
  static last: TheirSocket
  constructor (readonly url: string, readonly protocols: string[]) { TheirSocket.last = this }
  send (): void {}
  close (): void {}
}

afterEach(() => { vi.useRealTimers() })

function theirs (options = {}, doc = new Y.Doc()): WebsocketProvider {
  return new WebsocketProvider('ws://server.test', 'room', doc, { disableBc: true, WebSocketPolyfill: TheirSocket as never, ...options })
}

test('has every field and method of the real one, of the same type', () => {
  const real = theirs({ connect: false })
  const w = world({ connect: false })
  const names = new Set(Object.getOwnPropertyNames(real))
  for (let at = Object.getPrototypeOf(real); at !== Object.prototype; at = Object.getPrototypeOf(at)) for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  expect(names.size).toBeGreaterThan(25)
  const seen: string[] = []
  for (const name of names) {
    if (name in ABSENT) {
      seen.push(name)
      continue
    }
    expect(name in w.provider, `${name} is there`).toBe(true)
    expect(typeof (w.provider as never)[name], name).toBe(typeof (real as never)[name])
  }
  expect(seen.sort(), 'no excuse for what they do not have').toEqual(Object.keys(ABSENT).sort())
  real.destroy()
  w.provider.destroy()
})

test('takes every option of the real one', () => {
  const doc = new Y.Doc()
  const awareness = new Awareness(doc)
  const options = {
    connect: false, awareness, params: { a: 'b' }, protocols: ['p'], WebSocketPolyfill: fakeSockets().Socket, resyncInterval: 1000,
    maxBackoffTime: 2500, disableBc: true, shouldReconnect: () => false
  } satisfies ConstructorParameters<typeof SymphonyProvider>[3]
  satisfies(options as unknown as NonNullable<ConstructorParameters<typeof WebsocketProvider>[3]>)
  const provider = new SymphonyProvider('ws://server.test', 'room', doc, options)
  expect(provider.awareness).toBe(awareness)
  expect(provider.params).toBe(options.params)
  provider.destroy()
  expect(awareness.getLocalState(), "another's awareness is left alone").not.toBeNull()
  awareness.destroy()
})
const satisfies = (_: NonNullable<ConstructorParameters<typeof WebsocketProvider>[3]>): void => {}

describe('the same events in the same order, with the same arguments', () => {
  type Step = 'open' | 'sync' | 'lose' | 'refuse' | 'error' | 'disconnect' | 'connect' | 'later' | 'destroy'
  const table: Array<[name: string, steps: Step[]]> = [
    ['connect and sync', ['open', 'sync']],
    ['a lost connection comes back', ['open', 'sync', 'lose', 'later', 'open', 'sync']],
    ['disconnect and connect', ['open', 'sync', 'disconnect', 'connect', 'open', 'sync']],
    ['an error before the handshake', ['error', 'lose', 'later', 'open', 'sync']],
    ['refused for good with 4403, and connected by hand', ['open', 'sync', 'refuse', 'later', 'connect', 'open', 'sync']],
    ['lost before the sync', ['open', 'lose', 'later', 'open', 'sync']],
    ['destroyed', ['open', 'sync', 'destroy']]
  ]
  const note = (provider: { on: (name: never, listener: (...args: any[]) => void) => unknown, synced: boolean, wsconnected: boolean, wsconnecting: boolean, shouldConnect: boolean, ws: unknown }): string[] => {
    const events: string[] = []
    const at = (): string => `${provider.synced ? 's' : '-'}${provider.wsconnected ? 'c' : '-'}`
    provider.on('status' as never, ({ status }) => events.push(`status ${status}`))
    provider.on('sync' as never, synced => events.push(`sync ${synced} ${at()}`))
    provider.on('synced' as never, synced => events.push(`synced ${synced} ${at()}`))
    provider.on('connection-close' as never, (event, self) => events.push(`close ${event?.code ?? null} ${self === provider}`))
    provider.on('connection-error' as never, (event, self) => events.push(`error ${typeof event} ${self === provider}`))
    provider.on('closed' as never, ({ code, reason }, self) => events.push(`closed ${code} ${reason} ${self === provider} ${provider.shouldConnect}`))
    return events
  }

  test.each(table)('%s', async (_, steps) => {
    vi.useFakeTimers()
    const real = theirs()
    const realEvents = note(real as never)
    const w = world()
    const events = note(w.provider as never)
    const fields: unknown[] = []
    for (const step of steps) {
      const [a, b] = [TheirSocket.last, w.socket()]
      switch (step) {
        case 'open':
          a.readyState = 1
          a.onopen?.({})
          await settle()
          w.socket().open()
          break
        case 'sync': {
          const encoder = encoding.createEncoder()
          encoding.writeVarUint(encoder, 0)
          writeSyncStep2(encoder, new Y.Doc())
          a.onmessage?.({ data: encoding.toUint8Array(encoder).buffer })
          w.socket().receive(WELCOME)
          break
        }
        case 'lose':
        case 'refuse': {
          const event = { code: step === 'lose' ? 1006 : 4403, reason: 'why', wasClean: false }
          a.onclose?.(event)
          b.readyState = 3
          b.onclose?.(event)
          break
        }
        case 'error':
          await settle()
          a.onerror?.(new Event('error'))
          w.socket().onerror?.(new Event('error'))
          break
        default:
          if (step === 'later') {
            vi.advanceTimersByTime(10_000)
            await w.clock.advance(10_000)
          } else {
            real[step]()
            w.provider[step]()
          }
      }
      await settle()
      fields.push([step, ...(['synced', 'wsconnected', 'wsconnecting', 'shouldConnect'] as const).map(name => real[name] === w.provider[name] ? 'same' : `${name}: ${real[name]} there, ${w.provider[name]} here`)])
    }
    real.destroy()
    w.provider.destroy()
    expect(events).toEqual(realEvents)
    expect(fields).toEqual(steps.map(step => [step, 'same', 'same', 'same', 'same']))
  })
})

test('synced, params and awareness behave as bindings expect', async () => {
  const w = world({ params: { a: '1' } })
  const s = await w.welcome()
  expect(w.provider.ws).toBe(s)
  w.provider.params = { a: '2' }
  s.end()
  await w.clock.advance(500)
  await settle()
  expect(w.socket().url.searchParams.get('a')).toBe('2')
  expect(w.provider.awareness.getLocalState()).not.toBeNull()
  const heard: unknown[] = []
  w.provider.once('sync', synced => heard.push(synced))
  await w.welcome()
  w.socket().end()
  expect(heard).toEqual([true])
  w.provider.destroy()
})

test('shouldReconnect decides', async () => {
  const asked: number[] = []
  const w = world({ clock: new FakeClock(), shouldReconnect: ({ code }, provider) => asked.push(code) > 1 || provider !== w.provider })
  const closed: unknown[] = []
  w.provider.on('closed', event => closed.push(event))
  const s = await w.welcome()
  s.end(1011)
  await w.clock.advance(60_000)
  expect(w.sockets).toHaveLength(1)
  expect(asked).toEqual([1011])
  expect(closed).toEqual([{ code: 1011, reason: '' }])
  w.provider.destroy()
  expect(w.clock.pending).toBe(0)
})
