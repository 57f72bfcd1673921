/** Who is here, and what they show of themselves. */

import type { Awareness } from 'y-protocols/awareness'
import { Conversion } from './convert'
import type { Space } from './space'
import type { Topics } from './topics'

/** Somebody else in the room. */
export interface Other<P> {
  /** Of one page; a person with two has two. */
  clientId: number
  presence: Partial<P>
}

export class Presences<P extends object> {
  readonly #awareness: Awareness
  readonly #topics: Topics
  readonly #space: Space
  #others: ReadonlyArray<Other<P>> | null = null

  constructor (awareness: Awareness, space: Space, topics: Topics) {
    this.#awareness = awareness
    this.#topics = topics
    this.#space = space
    awareness.on('change', this.#changed)
  }

  destroy (): void {
    this.#awareness.off('change', this.#changed)
  }

  /** The same array until somebody else comes, goes or changes. */
  others (): ReadonlyArray<Other<P>> {
    this.#others ??= Object.freeze([...this.#awareness.getStates()]
      .filter(([clientId]) => clientId !== this.#awareness.clientID)
      .map(([clientId, presence]) => ({ clientId, presence: presence as Partial<P> })))
    return this.#others
  }

  own (): Partial<P> {
    return (this.#awareness.getLocalState() ?? {}) as Partial<P>
  }

  /** Merges; undefined takes a key away. */
  update (partial: Partial<P>): void {
    const next: Record<string, unknown> = { ...this.own() }
    for (const [key, value] of Object.entries(partial)) {
      if (value === undefined) {
        delete next[key]
      } else {
        new Conversion(this.#space).value(value, `presence.${key}`)
        next[key] = structuredClone(value)
      }
    }
    this.#awareness.setLocalState(next)
  }

  readonly #changed = ({ added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>): void => {
    const own = this.#awareness.clientID
    const all = [...added, ...updated, ...removed]
    if (all.some(client => client !== own)) {
      this.#others = null
      this.#topics.emit('others', this.others())
    }
    if (all.includes(own)) this.#topics.emit('presence', this.own())
  }
}
