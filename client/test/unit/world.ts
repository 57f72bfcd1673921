// A provider whose server is the test.

import * as Y from 'yjs'
import { SymphonyProvider, type SymphonyProviderOptions } from '../../src'
import { FakeClock, type FakeSocket, fakeSockets, type MessageOf, settle } from '../../src/testing'

export const NONE = new Uint8Array()
export const EMPTY = Uint8Array.of(0, 0)

export interface World {
  provider: SymphonyProvider
  doc: Y.Doc
  clock: FakeClock
  sockets: FakeSocket[]
  /** What the provider emitted, `name:detail`. */
  events: string[]
  problems: Array<{ code: number, text: string }>
  /** The newest socket. */
  socket (): FakeSocket
  /** Opens the newest socket and welcomes it. */
  welcome (fields?: Partial<MessageOf<'welcome'>>): Promise<FakeSocket>
}

export function world (options: SymphonyProviderOptions = {}, doc = new Y.Doc()): World {
  const clock = (options.clock as FakeClock | undefined) ?? new FakeClock()
  const { Socket, sockets } = fakeSockets()
  const provider = new SymphonyProvider('ws://server.test/dev', 'room', doc, {
    WebSocketPolyfill: Socket, clock, random: () => 0.5, disableBc: true, ...options
  })
  const events: string[] = []
  const problems: Array<{ code: number, text: string }> = []
  provider.on('status', ({ status }) => events.push(`status:${status}`))
  provider.on('sync', synced => events.push(`sync:${synced}`))
  provider.on('sync-status', ({ hasUnacknowledgedChanges }) => events.push(`unacknowledged:${hasUnacknowledgedChanges}`))
  provider.on('lost-connection', what => events.push(`connection:${what}`))
  provider.on('connection-close', () => events.push('close'))
  provider.on('error', problem => problems.push(problem))
  const socket = (): FakeSocket => sockets.at(-1)!
  return {
    provider,
    doc,
    clock,
    sockets,
    events,
    problems,
    socket,
    async welcome (fields = {}) {
      await settle()
      const one = socket()
      one.open()
      one.receive({ ...WELCOME, ...fields })
      await settle()
      return one
    }
  }
}

export const WELCOME: MessageOf<'welcome'> = {
  type: 'welcome', version: 1, epoch: 'e', through: 0, connection: 'c', userId: '', userName: '', access: 'write',
  members: 1, time: 0, stateVector: NONE, update: NONE
}

/** An update that inserts text into a document of its own. */
export function edit (text: string, doc = new Y.Doc()): Uint8Array {
  let made: Uint8Array = NONE
  const keep = (update: Uint8Array): void => { made = update }
  doc.on('update', keep)
  doc.getText('t').insert(doc.getText('t').length, text)
  doc.off('update', keep)
  return made
}
