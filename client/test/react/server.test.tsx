// @vitest-environment node
// Without a browser: importing is safe, and a page can be rendered.

import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'

test('the hooks can be imported and rendered where there is no DOM, WebSocket or IndexedDB', async () => {
  expect(typeof document).toBe('undefined')
  const { SymphonyRoom, useList } = await import('../../src/react')
  const { SymphonyClient } = await import('../../src/room')
  const client = new SymphonyClient('wss://example.com/dev', { offline: true })
  const List = () => <>{useList('items')[0]}</>
  expect(renderToString(<SymphonyRoom client={client} id="a" fallback="…"><List /></SymphonyRoom>)).toBe('…')
  expect(client.getRooms()).toEqual([])
})
