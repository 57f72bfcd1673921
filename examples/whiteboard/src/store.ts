// What this user has chosen; nothing of it is shared.

import type { Style } from './shape'

export const TOOLS = ['select', 'hand', 'pen', 'rectangle', 'ellipse', 'line', 'arrow', 'text'] as const
export type ToolName = typeof TOOLS[number]

export interface Choices extends Style {
  readonly tool: ToolName
  readonly selection: readonly string[]
  /** The text shape being typed into. */
  readonly editing: string | null
}

export class Store {
  private value: Choices = { tool: 'pen', color: 'ink', width: 'm', fill: false, selection: [], editing: null }
  private readonly listeners = new Set<(value: Choices) => void>()

  get (): Choices { return this.value }

  set (patch: Partial<Choices>): void {
    this.value = { ...this.value, ...patch }
    for (const listener of this.listeners) listener(this.value)
  }

  /** Calls back now and after every change. */
  on (listener: (value: Choices) => void): void {
    this.listeners.add(listener)
    listener(this.value)
  }
}
