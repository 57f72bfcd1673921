// P3: destroy() leaves nothing, in whatever state it comes: everything a provider can open is counted.

import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { settle } from '../../src/testing'
import { FakeLocks } from './locks'
import { edit, world, type World } from './world'

/** A window or document that counts its listeners. */
class Target extends EventTarget {
  readonly listeners = new Set<unknown>()
  visibilityState = 'visible'
  override addEventListener (type: string, listener: any, options?: any): void {
    this.listeners.add(listener)
    options?.signal?.addEventListener('abort', () => this.listeners.delete(listener))
    super.addEventListener(type, listener, options)
  }

  override removeEventListener (type: string, listener: any, options?: any): void {
    this.listeners.delete(listener)
    super.removeEventListener(type, listener, options)
  }
}

const opened = { channels: new Set<unknown>(), databases: new Set<IDBDatabase>() }
let window: Target
let document: Target
let locks: FakeLocks
let runs = 0

beforeEach(() => {
  [window, document, locks] = [new Target(), new Target(), new FakeLocks()]
  vi.stubGlobal('window', window)
  vi.stubGlobal('document', document)
  vi.stubGlobal('navigator', { locks })
  vi.stubGlobal('BroadcastChannel', class extends BroadcastChannel {
    constructor (name: string) {
      super(name)
      opened.channels.add(this)
    }

    override close (): void {
      opened.channels.delete(this)
      super.close()
    }
  })
  const open = indexedDB.open.bind(indexedDB)
  vi.spyOn(indexedDB, 'open').mockImplementation((name, version) => {
    const request = open(name, version)
    request.addEventListener('success', () => {
      const db = request.result
      opened.databases.add(db)
      const close = db.close.bind(db)
      db.close = () => {
        opened.databases.delete(db)
        close()
      }
    })
    return request
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function turns (n = 8): Promise<void> {
  for (let at = 0; at < n; at++) {
    await new Promise(resolve => setTimeout(resolve, 1))
    await settle()
  }
}

function observers (of: object): number {
  const { _observers } = of as { _observers: Map<string, Set<unknown>> }
  return [..._observers.values()].reduce((sum, set) => sum + set.size, 0)
}

/** y-protocols' Awareness never takes its own listener from a document. */
const bare = new Y.Doc()
const awareness = new Awareness(bare)
awareness.destroy()
const ofAwareness = observers(bare)

const connected = async (w: World): Promise<void> => {
  await expect.poll(() => w.sockets.length, { timeout: 90_000 }).toBe(1)
  await w.welcome({ members: 2 })
}

/** Brings a provider to where it is destroyed; may give what happens only after that. */
type Until = (w: World) => Promise<void | (() => Promise<unknown>)> | void

test.each<[name: string, until: Until]>([
  ['at once', () => {}],
  ['while the modules load', async () => { await settle() }],
  ['while it looks for a tab that leads', async () => {
    let go = (): void => {}
    const gate = new Promise<void>(resolve => { go = resolve })
    const digest = crypto.subtle.digest.bind(crypto.subtle)
    const hash = vi.spyOn(crypto.subtle, 'digest').mockImplementation(async (...args) => { await gate; return await digest(...args) })
    await expect.poll(() => hash.mock.calls.length, { timeout: 90_000 }).toBe(1)
    return async () => {
      go()
      await hash.mock.results[0]!.value
    }
  }],
  ['while it connects', async w => { await expect.poll(() => w.sockets.length, { timeout: 90_000 }).toBe(1) }],
  ['connected', connected],
  ['with a gap, an edit and presence under way', async w => {
    await connected(w)
    w.socket().receive({ type: 'broadcast', seq: 5, update: edit('gap') })
    w.socket().receive({ type: 'peerJoined', connection: 'p', client: 7, userId: '', userName: '' })
    w.doc.getText('t').insert(0, 'x')
    w.provider.awareness.setLocalStateField('a', 1)
    w.provider.awareness.setLocalStateField('a', 2)
  }],
  ['while a large update is put, and one is fetched', async w => {
    await connected(w)
    w.doc.getText('t').insert(0, 'x'.repeat(30_000))
    await w.clock.advance(50)
    await turns()
    w.socket().receive({ type: 'uploadOffer', id: 1, upload: 'u', url: 'https://store.test/', headers: [] })
    w.socket().receive({ type: 'broadcastByUrl', seq: 1, size: 3, sha256: new Uint8Array(32), url: 'https://store.test/' })
    await settle()
  }],
  ['while the connection is replaced', async w => {
    await connected(w)
    w.provider.refreshToken('')
    await turns()
    await w.welcome()
  }],
  ['between two attempts', async w => {
    await connected(w)
    w.socket().end()
  }],
  ['disconnected', async w => {
    await connected(w)
    w.provider.disconnect()
  }],
  ['refused for good', async w => {
    await connected(w)
    w.socket().receive({ type: 'error', code: 6, id: 0, retry: 0, text: 'no' })
  }],
  ['twice', async w => {
    await connected(w)
    w.provider.destroy()
  }]
])('P3: destroyed %s', async (_, until) => {
  const aborted: boolean[] = []
  const w = world({
    disableBc: false, shareConnection: true, offline: true, warnBeforeUnload: true, params: { run: String(++runs) },
    fetch: async (_, init) => await new Promise((_resolve, reject) => { init!.signal!.addEventListener('abort', () => { aborted.push(true); reject(new Error('aborted')) }) })
  })
  const late = await until(w)
  w.provider.destroy()
  if (typeof late === 'function') await late()
  await w.provider.whenLoaded // a database that was being opened has been, and is closed
  await turns()
  await expect.poll(() => opened.databases.size, { timeout: 90_000 }).toBe(0)
  expect(w.clock.pending, 'timers').toBe(0)
  expect(w.sockets.filter(({ readyState }) => readyState < 2), 'sockets').toEqual([])
  expect(window.listeners.size + document.listeners.size, 'listeners of the page').toBe(0)
  expect(opened.channels.size, 'channels').toBe(0)
  expect(locks.held, 'locks').toEqual([])
  expect(observers(w.provider), 'listeners of the provider').toBe(0)
  expect(observers(w.doc), 'listeners of the document').toBe(ofAwareness)
  expect(observers(w.provider.awareness), 'listeners of the awareness').toBe(0)
  w.provider.connect() // too late
  await turns()
  expect([w.clock.pending, opened.channels.size, opened.databases.size, locks.held.length]).toEqual([0, 0, 0, 0])
})
