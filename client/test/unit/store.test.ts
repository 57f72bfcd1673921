// The offline store, on an IndexedDB in memory.

import 'fake-indexeddb/auto'
import { expect, test } from 'vitest'
import { OfflineStore } from '../../src/provider/store'
import { edit } from './world'

test('P20: who comes back at once finds what the session before was still writing', async () => {
  const failed = (error: unknown): void => { throw error }
  for (let round = 0; round < 20; round++) {
    const name = `hand-over ${round}`
    const { store } = await OfflineStore.open(name, 'a', failed)
    store.addLocal(edit('under way'))
    store.addLocal(edit('in the next batch'))
    void store.close()
    const next = await OfflineStore.open(name, 'b', failed)
    expect(next.stored.outbox.map(({ key }) => key), `round ${round}`).toEqual(['a-000000001', 'a-000000002'])
    expect(next.stored.updates).toHaveLength(2)
    await next.store.close()
  }
})
