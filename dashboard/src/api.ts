// What the server answers; see internal/dashboard.

export type Figures = Record<string, number>

export interface Info {
  kind: 'local' | 'cloud'
  stage: string
  store: string
  version: string
  socket?: string
  started: string
  changes: boolean
  why: Record<string, string>
  notes: Record<string, string>
}

export interface Snapshot {
  at: string
  figures: Figures
  rooms: number
  problem?: string
}

export type Line = (number | null)[]

export interface Lines {
  from: number
  step: number
  values: Record<string, Line>
}

export interface RoomRow {
  room: string
  active: boolean
  users: number
  lastActive: string
  created: string
  size: number
  logEntries: number
  logBytes: number
  versions: number
  bytes: number
}

export interface RoomPage {
  rows: RoomRow[]
  total: number
  matched: number
  page: number
  size: number
  version: number
}

export interface Member {
  user: string
  name: string
  access: string
  client: number
  protocol: string
  connected: string
}

export interface Room extends RoomRow {
  members: Member[] | null
  problem?: string
  history: { at: string; size: number; versions: number }[] | null
}

export interface Edits {
  from: number
  step: number
  edits: number[]
  bytes: number[]
  oldest: string | null
  count: number
  whole: boolean
  sizes: { at: string; size: number }[] | null
}

export type Kind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

export interface Child {
  key: string
  type: Kind
  size: number
  preview?: string
}

export interface DocumentNode {
  type: Kind
  size: number
  offset: number
  children: Child[]
  text?: string
  next?: number
  versions: number
  bytes: number
}

export interface Verification {
  healthy: boolean
  checks: string[] | null
  problems: string[] | null
}

export interface FunctionRow {
  name: string
  invocations: number | null
  errors: number | null
  coldStarts: number | null
  p50: number | null
  p99: number | null
  rate: Line
}

export interface FunctionReport {
  from: number
  step: number
  functions: FunctionRow[]
  why: Record<string, string> | null
}

export interface LogLine {
  id: string
  at: string
  level: string
  function?: string
  text: string
  fields?: string
}

export interface LogPage {
  lines: LogLine[]
  next: string
  missed: boolean
}

/** What the server says went wrong, in its words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    text: string
  ) {
    super(text)
  }
}

export type Params = Record<string, string | number | boolean | undefined>

export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '' && value !== false) query.set(name, value === true ? '1' : String(value))
  }
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

async function answer<T>(response: Response): Promise<T> {
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) {
    const problem = (body as { problem?: string } | undefined)?.problem
    throw new Problem(response.status, problem ?? `The dashboard answered ${response.status}.`)
  }
  return body as T
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new Problem(0, 'The dashboard does not answer. Is it still running?')
  }
  return answer<T>(response)
}

export const get = <T>(url: string, signal: AbortSignal): Promise<T> => ask<T>(url, { signal })

export const post = <T>(url: string, body: unknown): Promise<T> =>
  ask<T>(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Symphony-Dashboard': '1' },
    body: JSON.stringify(body)
  })
