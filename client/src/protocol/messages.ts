/**
 * The messages of docs/PROTOCOL.md, one type each, and the table that the
 * codec reads: each message's number and its fields in order.
 */

/** How a field is written: see docs/PROTOCOL.md, "Frames". */
export type Kind = 'uint' | 'bool' | 'string' | 'bytes' | 'hash' | 'headers'

/** Name and value of an HTTP header. */
export type Header = readonly [name: string, value: string]

/** What a field of a kind holds. */
interface Value {
  uint: number
  bool: boolean
  string: string
  bytes: Uint8Array
  hash: Uint8Array
  headers: Header[]
}

/**
 * Type number, number of the sync kind (or of the auth reason) when there is
 * one, and the fields.
 */
export const TABLE = {
  syncStep1: [0, 0, { stateVector: 'bytes' }],
  syncStep2: [0, 1, { update: 'bytes' }],
  syncUpdate: [0, 2, { update: 'bytes' }],
  awareness: [1, -1, { update: 'bytes' }],
  auth: [2, 0, { reason: 'string' }],
  queryAwareness: [3, -1, {}],
  hello: [100, -1, { version: 'uint', client: 'uint', epoch: 'string', after: 'uint', stateVector: 'bytes' }],
  welcome: [101, -1, {
    version: 'uint', epoch: 'string', through: 'uint', connection: 'string', userId: 'string', userName: 'string',
    access: 'string', members: 'uint', time: 'uint', stateVector: 'bytes', update: 'bytes'
  }],
  submit: [102, -1, { id: 'uint', update: 'bytes' }],
  ack: [103, -1, { id: 'uint', seq: 'uint' }],
  broadcast: [104, -1, { seq: 'uint', update: 'bytes' }],
  rangeRequest: [105, -1, { after: 'uint', through: 'uint' }],
  range: [106, -1, { after: 'uint', through: 'uint', more: 'bool', update: 'bytes' }],
  probe: [107, -1, { seq: 'uint' }],
  tail: [108, -1, { seq: 'uint' }],
  uploadRequest: [110, -1, { id: 'uint', size: 'uint', sha256: 'hash' }],
  uploadOffer: [111, -1, { id: 'uint', upload: 'string', url: 'string', headers: 'headers' }],
  uploadCommit: [112, -1, { id: 'uint', upload: 'string' }],
  broadcastByUrl: [113, -1, { seq: 'uint', size: 'uint', sha256: 'hash', url: 'string' }],
  snapshotByUrl: [114, -1, { seq: 'uint', size: 'uint', sha256: 'hash', url: 'string' }],
  peerJoined: [120, -1, { connection: 'string', client: 'uint', userId: 'string', userName: 'string' }],
  peerLeft: [121, -1, { connection: 'string', client: 'uint' }],
  event: [122, -1, { client: 'uint', data: 'string' }],
  peerEvent: [123, -1, { connection: 'string', client: 'uint', userId: 'string', data: 'string' }],
  tabPresence: [124, -1, { update: 'bytes' }],
  tabLeft: [125, -1, { client: 'uint' }],
  notice: [130, -1, { code: 'string', text: 'string' }],
  error: [131, -1, { code: 'uint', id: 'uint', retry: 'uint', text: 'string' }]
} as const satisfies Record<string, readonly [number, number, Record<string, Kind>]>

export type MessageName = keyof typeof TABLE

/** One message by its name. */
export type MessageOf<N extends MessageName> = { type: N } & {
  -readonly [F in keyof (typeof TABLE)[N][2]]: (typeof TABLE)[N][2][F] extends keyof Value ? Value[(typeof TABLE)[N][2][F]] : never
}

/** Any message; `type` tells which. */
export type Message = { [N in MessageName]: MessageOf<N> }[MessageName]
