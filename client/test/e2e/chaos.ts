// A real WebSocket whose frames get lost, doubled, late and out of order, and the mutants.

import { WebSocket } from 'ws'
import { decodeFrame, encodeFrame, fromBase64, type Message } from '../../src/protocol'
import * as decoding from 'lib0/decoding'
import type { SocketLike } from '../../src/provider'
import type { Random } from './random'

/** What a run does to frames; it can be changed while sockets live. */
export interface Weather {
  /** Shares of the frames, each way. */
  drop: number
  double: number
  /** The longest delay, ms; frames overtake each other. */
  delay: number
  /** A bug to put in, to see that the checker finds it. */
  mutant?: 'ack before persist' | 'skip a broadcast'
}

/** Base class of the sockets of one client. */
export function chaosSocket (weather: Weather, r: Random, open: Set<SocketLike & { cut (): void }>) {
  return class ChaosSocket implements SocketLike {
    onopen: ((event: any) => void) | null = null
    onmessage: ((event: any) => void) | null = null
    onerror: ((event: any) => void) | null = null
    onclose: ((event: any) => void) | null = null
    readonly #inner: WebSocket
    #mutations = 0

    constructor (url: string, protocols: string[] = []) {
      const inner = this.#inner = new WebSocket(url, protocols)
      open.add(this)
      inner.onopen = event => this.onopen?.(event)
      inner.onerror = event => this.onerror?.(event)
      inner.onclose = event => {
        open.delete(this)
        this.onclose?.(event)
      }
      inner.onmessage = event => { this.#pass(event.data as string, frame => this.onmessage?.({ data: frame }), true) }
    }

    get readyState (): number { return this.#inner.readyState }

    send (data: string): void {
      const type = decoding.readVarUint(decoding.createDecoder(fromBase64(data)))
      if (weather.mutant === 'ack before persist' && type === 102 && ++this.#mutations % 5 === 0) {
        const input = decoding.createDecoder(fromBase64(data))
        decoding.readVarUint(input)
        const id = decoding.readVarUint(input)
        setTimeout(() => this.onmessage?.({ data: encodeFrame({ type: 'ack', id, seq: 0 }) }), 5)
        return // acknowledged, and never stored
      }
      this.#pass(data, frame => { if (this.#inner.readyState === 1) this.#inner.send(frame) }, false)
    }

    close (code?: number): void {
      this.#inner.close(code)
    }

    /** As a pulled cable. */
    cut (): void {
      this.#inner.terminate()
    }

    #pass (frame: string, deliver: (frame: string) => void, incoming: boolean): void {
      const message = incoming ? read(frame) : null
      if (message?.type === 'broadcast' && weather.mutant === 'skip a broadcast' && ++this.#mutations % 5 === 0) {
        return deliver(encodeFrame({ ...message, update: Uint8Array.of(0, 0) })) // the number, and not what it stands for
      }
      // Posts reach a connection one after the other while a function sends them: a
      // catch-up in pieces is either all there or the connection is not.
      if (message?.type === 'welcome' || message?.type === 'range') return deliver(frame)
      if (r.chance(weather.drop)) return
      for (let copies = r.chance(weather.double) ? 2 : 1; copies > 0; copies--) {
        if (weather.delay > 0 && r.chance(0.5)) setTimeout(() => { deliver(frame) }, r.below(weather.delay))
        else deliver(frame)
      }
    }
  }
}

function read (frame: string): Message | null {
  try {
    return decodeFrame(frame)
  } catch {
    return null
  }
}
