// A room without a network, and somebody else in it.

import { render } from '@testing-library/react'
import { Component, type ReactNode, StrictMode } from 'react'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { SymphonyRoom } from '../../src/react'
import { type Room, SymphonyClient } from '../../src/room'

export const offline = (): SymphonyClient => new SymphonyClient('ws://127.0.0.1:1/dev', { connect: false, disableBc: true })

/** Shows something in a room that is not connected. */
export function show (children: ReactNode, { client = offline(), strict = false, initialPresence = {} } = {}) {
  const tree = <SymphonyRoom client={client} id="room" initialPresence={initialPresence}>{children}</SymphonyRoom>
  const view = render(strict ? <StrictMode>{tree}</StrictMode> : tree)
  const room = client.enter<any>('room') // the same one, to look into
  void client.leave('room')
  return { ...view, client, room, text: () => view.container.textContent }
}

/** Somebody else in the room, with a document of their own. */
export class Peer {
  readonly doc = new Y.Doc()
  readonly #awareness = new Awareness(this.doc)
  readonly #room: Room<any, any>

  constructor (room: Room<any, any>) {
    this.#room = room
  }

  /** Changes the document as it is now; what they did arrives as one update. */
  edit (change: (doc: Y.Doc) => void): void {
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(this.#room.doc))
    this.doc.transact(() => { change(this.doc) })
    Y.applyUpdate(this.#room.doc, Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(this.#room.doc)), this.#room.provider)
  }

  /** Shows something; null: leaves. */
  present (presence: object | null): void {
    this.#awareness.setLocalState(presence as never)
    applyAwarenessUpdate(this.#room.provider.awareness, encodeAwarenessUpdate(this.#awareness, [this.doc.clientID]), 'peer')
  }

  leave (): void {
    this.#awareness.destroy()
  }
}

/** Catches what its children throw, and shows it. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null }
  static getDerivedStateFromError (error: Error): { error: Error } { return { error } }
  override render (): ReactNode { return this.state.error?.message ?? this.props.children }
}
