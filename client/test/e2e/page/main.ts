// The page that Chromium opens: providers by name, driven by the test.

import * as Y from 'yjs'
import { SymphonyClient, SymphonyProvider, type SymphonyProviderOptions } from '../../../src'

const providers = new Map<string, SymphonyProvider>()

const app = {
  enter (name: string, url: string, room: string, options: SymphonyProviderOptions = {}): void {
    const doc = new Y.Doc()
    const provider = new SymphonyProvider(url, room, doc, options)
    providers.set(name, provider)
    const lengths: number[] = []
    doc.getText('t').observe(() => { lengths.push(doc.getText('t').length) })
    const events: string[] = []
    provider.on('status', ({ status }) => { events.push(status) })
    provider.on('sync', synced => { events.push(`sync ${synced}`) })
    Object.assign(provider, { lengths, events })
  },
  get: (name: string): SymphonyProvider & { lengths: number[], events: string[] } => providers.get(name) as never,
  text: (name: string): string => app.get(name).doc.getText('t').toString(),
  /** Everything arrived and nothing waits. */
  settled: (name: string): boolean => app.get(name).synced && !app.get(name).hasUnacknowledgedChanges,
  leave (name: string): void {
    const provider = app.get(name)
    provider.destroy()
    provider.doc.destroy()
    providers.delete(name)
  },
  /** Enters and leaves n rooms, each once it is synced: by provider and by SymphonyClient. */
  async cycle (url: string, n: number): Promise<void> {
    const client = new SymphonyClient(url)
    for (let at = 0; at < n; at++) {
      if (at % 2 === 1) {
        const room = client.enter(`cycle-${at % 5}`, { offline: at % 4 === 1 })
        const list = room.newList<number>('list')
        const history = room.newHistory([list])
        room.subscribe(list, () => {})
        room.subscribe('others', () => {})
        await room.whenSynced()
        list.push(at)
        history.undo()
        room.updatePresence({ at })
        await client.leave(room.getRoomId())
        continue
      }
      app.enter('cycle', url, `cycle-${at % 5}`, { offline: at % 4 === 0 })
      const provider = app.get('cycle')
      await new Promise<void>(resolve => { provider.on('sync', synced => { if (synced) resolve() }) })
      provider.doc.getText('t').insert(0, 'x')
      provider.awareness.setLocalStateField('at', at)
      app.leave('cycle')
    }
    await client.destroy()
  }
}

declare global {
  interface Window { app: typeof app }
}
window.app = app
