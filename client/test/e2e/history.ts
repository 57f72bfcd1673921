// N4: a recorded history, and whether it keeps Symphony's promises.

/** One thing that happened, in order. */
export type Event =
  /** A client made an edit with this mark. */
  | { client: string, type: 'made', mark: string }
  /** The client was told that everything it had made is durable. */
  | { client: string, type: 'acknowledged' }
  /** The client looked at its document. */
  | { client: string, type: 'read', marks: string[] }
  /** The client died without a goodbye. */
  | { client: string, type: 'died' }
  /** What a client that lived, or a newcomer, has in the end; whether it knows of anything unfinished. */
  | { client: string, type: 'end', marks: string[], content: string, settled: boolean }

/** What is wrong with a history; empty when nothing is. */
export function violations (history: Event[]): string[] {
  const wrong: string[] = []
  const made = new Map<string, string[]>()
  const acknowledged = new Set<string>()
  const dead = new Set<string>()
  const ends: Array<Extract<Event, { type: 'end' }>> = []
  const seen = new Map<string, Set<string>>()
  for (const event of history) {
    const own = made.get(event.client) ?? []
    made.set(event.client, own)
    switch (event.type) {
      case 'made': own.push(event.mark); break
      case 'acknowledged': for (const mark of own) acknowledged.add(mark); break
      case 'died': dead.add(event.client); break
      case 'read': {
        const now = new Set(event.marks)
        for (const mark of own) if (!now.has(mark)) wrong.push(`${event.client} does not read its own write ${mark}`)
        for (const mark of seen.get(event.client) ?? []) if (!now.has(mark)) wrong.push(`${event.client} no longer sees ${mark}`)
        seen.set(event.client, now)
        break
      }
      case 'end': ends.push(event)
    }
  }
  if (ends.length === 0) wrong.push('nobody was there in the end')
  const all = new Set([...made.values()].flat())
  for (const end of ends) {
    const has = new Set(end.marks)
    if (!end.settled) wrong.push(`${end.client} never settled`)
    if (end.content !== ends[0]!.content) wrong.push(`${end.client} has not converged with ${ends[0]!.client}`)
    for (const mark of acknowledged) if (!has.has(mark)) wrong.push(`${end.client} lacks the acknowledged ${mark}`)
    for (const [client, marks] of made) {
      if (dead.has(client)) continue
      for (const mark of marks) if (!has.has(mark)) wrong.push(`${end.client} lacks ${mark}, and ${client} lives`)
    }
    for (const mark of has) if (!all.has(mark)) wrong.push(`${end.client} has ${mark}, which nobody made`)
  }
  return wrong
}
