// Writes frames.json: the frames of every message, made by the real
// y-protocols, lib0 and yjs of package-lock.json, with what they mean.
// Run it with `npm ci && npm run make`; protocol_test compares.
//
// Types 0 to 3 come out of y-protocols' own functions. Symphony's types are
// written with lib0's encoding functions in the order of docs/PROTOCOL.md.

import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'
import * as sync from 'y-protocols/sync'
import * as auth from 'y-protocols/auth'
import * as awareness from 'y-protocols/awareness'
import * as Y from 'yjs'

const SAFE = Number.MAX_SAFE_INTEGER

const uints = [0, 1, 127, 128, 16383, 16384, 2 ** 32 - 1, 2 ** 32, SAFE]
const strings = ['', 'a', 'ä€😀', '\ud800', 'x\udc00y', '\ufeffbom', '\u0000', 'k'.repeat(127), 'k'.repeat(128)]
const byteses = [0, 1, 127, 128, 300].map(n => Uint8Array.from({ length: n }, (_, i) => (i * 37 + 255) & 255))
const hashes = [new Uint8Array(32), Uint8Array.from({ length: 32 }, (_, i) => 255 - i)]
const headerses = [[], [['Content-Type', 'application/octet-stream']], [['', ''], ['x-amz-checksum-sha256', 'ä']]]

/** Field kinds: edge values, how lib0 writes them, how Go's JSON reads them. */
const kinds = {
  uint: { edges: uints, write: encoding.writeVarUint, json: v => v },
  bool: { edges: [0, 1], write: encoding.writeVarUint, json: v => v === 1 },
  string: { edges: strings, write: encoding.writeVarString, json: v => v },
  bytes: { edges: byteses, write: encoding.writeVarUint8Array, json: v => (v.length ? base64(v) : null) },
  hash: { edges: hashes, write: encoding.writeVarUint8Array, json: v => [...v] },
  headers: {
    edges: headerses,
    write: (encoder, pairs) => {
      encoding.writeVarUint(encoder, pairs.length)
      for (const [name, value] of pairs) {
        encoding.writeVarString(encoder, name)
        encoding.writeVarString(encoder, value)
      }
    },
    json: pairs => (pairs.length ? pairs.map(([Name, Value]) => ({ Name, Value })) : null)
  }
}

/** Symphony's messages: number, Go type, fields in the order of the table. */
const symphony = [
  [100, 'Hello', { Version: 'uint', Client: 'uint', Epoch: 'string', After: 'uint', StateVector: 'bytes' }],
  [101, 'Welcome', {
    Version: 'uint', Epoch: 'string', Through: 'uint', Connection: 'string', UserID: 'string', UserName: 'string',
    Access: 'string', Members: 'uint', TimeMS: 'uint', StateVector: 'bytes', Update: 'bytes'
  }],
  [102, 'Submit', { ID: 'uint', Update: 'bytes' }],
  [103, 'Ack', { ID: 'uint', Seq: 'uint' }],
  [104, 'Broadcast', { Seq: 'uint', Update: 'bytes' }],
  [105, 'RangeRequest', { After: 'uint', Through: 'uint' }],
  [106, 'Range', { After: 'uint', Through: 'uint', More: 'bool', Update: 'bytes' }],
  [107, 'Probe', { Seq: 'uint' }],
  [108, 'Tail', { Seq: 'uint' }],
  [110, 'UploadRequest', { ID: 'uint', Size: 'uint', SHA256: 'hash' }],
  [111, 'UploadOffer', { ID: 'uint', Upload: 'string', URL: 'string', Headers: 'headers' }],
  [112, 'UploadCommit', { ID: 'uint', Upload: 'string' }],
  [113, 'BroadcastByURL', { Seq: 'uint', Size: 'uint', SHA256: 'hash', URL: 'string' }],
  [114, 'SnapshotByURL', { Seq: 'uint', Size: 'uint', SHA256: 'hash', URL: 'string' }],
  [120, 'PeerJoined', { Connection: 'string', Client: 'uint', UserID: 'string', UserName: 'string' }],
  [121, 'PeerLeft', { Connection: 'string', Client: 'uint' }],
  [122, 'Event', { Client: 'uint', Data: 'string' }],
  [123, 'PeerEvent', { Connection: 'string', Client: 'uint', UserID: 'string', Data: 'string' }],
  [124, 'TabPresence', { Update: 'bytes' }],
  [125, 'TabLeft', { Client: 'uint' }],
  [130, 'Notice', { Code: 'string', Text: 'string' }],
  [131, 'Error', { Code: 'uint', ID: 'uint', RetryMS: 'uint', Text: 'string' }]
]

const frames = []
const base64 = bytes => Buffer.from(bytes).toString('base64')
const utf8 = new TextEncoder()

/** Records what write puts into an encoder as a frame of Go type `go`. */
function frame (go, about, message, write) {
  const encoder = encoding.createEncoder()
  write(encoder)
  frames.push({ go, about, message, frame: base64(encoding.toUint8Array(encoder)) })
}

function makeSymphony () {
  for (const [number, go, fields] of symphony) {
    const names = Object.keys(fields)
    const ordinary = Object.fromEntries(names.map(name => [name, kinds[fields[name]].edges[1]]))
    const emit = (about, values) => frame(go, about,
      Object.fromEntries(names.map(name => [name, kinds[fields[name]].json(values[name])])),
      encoder => {
        encoding.writeVarUint(encoder, number)
        for (const name of names) kinds[fields[name]].write(encoder, values[name])
      })
    emit('ordinary', ordinary)
    for (const name of names) {
      kinds[fields[name]].edges.forEach((edge, i) => emit(`${name} edge ${i}`, { ...ordinary, [name]: edge }))
    }
  }
}

/** A document with one of everything, made the same way every time. */
function document (clientID) {
  const doc = new Y.Doc()
  doc.clientID = clientID
  doc.getText('text').insert(0, 'héllo 😀 \ud800')
  doc.getText('text').format(0, 3, { bold: true })
  doc.getMap('map').set('', -0)
  doc.getMap('map').set('nested', new Y.Array())
  doc.getArray('list').push([1, 'two', null, true, new Uint8Array([3])])
  doc.getArray('list').delete(1, 1)
  return doc
}

function makeSync () {
  const bytes = update => kinds.bytes.json(update)
  for (const [about, doc] of [['empty document', new Y.Doc()], ['document', document(1)], ['client id 2^53-1', document(SAFE)]]) {
    frame('SyncStep1', about, { StateVector: bytes(Y.encodeStateVector(doc)) }, encoder => {
      encoding.writeVarUint(encoder, 0)
      sync.writeSyncStep1(encoder, doc)
    })
    frame('SyncStep2', about, { Update: bytes(Y.encodeStateAsUpdate(doc)) }, encoder => {
      encoding.writeVarUint(encoder, 0)
      sync.writeSyncStep2(encoder, doc)
    })
    const before = Y.encodeStateVector(doc)
    frame('SyncStep2', about + ', nothing missing', { Update: bytes(Y.encodeStateAsUpdate(doc, before)) }, encoder => {
      encoding.writeVarUint(encoder, 0)
      sync.writeSyncStep2(encoder, doc, before)
    })
    doc.on('update', update => frame('SyncUpdate', about, { Update: bytes(update) }, encoder => {
      encoding.writeVarUint(encoder, 0)
      sync.writeUpdate(encoder, update)
    }))
    if (about !== 'empty document') doc.getText('text').insert(1, 'later')
  }
}

function makeAwareness () {
  const states = [{}, { user: { name: 'Ä 😀', color: '#fff' }, cursor: null }, { text: '\ud800' }]
  for (const clientID of [1, 2 ** 32, SAFE]) {
    const doc = new Y.Doc()
    doc.clientID = clientID
    const presence = new awareness.Awareness(doc)
    for (const state of [...states, null]) {
      presence.setLocalState(state)
      const update = awareness.encodeAwarenessUpdate(presence, [clientID])
      frame('Awareness', state === null ? 'removed' : JSON.stringify(state), { Update: base64(update) }, encoder => {
        encoding.writeVarUint(encoder, 1)
        encoding.writeVarUint8Array(encoder, update)
      })
    }
    presence.destroy() // its timer would keep the process alive
  }
  frame('QueryAwareness', '', {}, encoder => encoding.writeVarUint(encoder, 3))
}

function makeAuth () {
  for (const reason of strings) {
    frame('Auth', 'denied', { Reason: reason }, encoder => {
      encoding.writeVarUint(encoder, 2)
      auth.writePermissionDenied(encoder, reason)
    })
  }
}

/** What lib0 reads from bytes that its own writer would not produce. */
function reads () {
  const padded = n => [...Array(n).fill(0x80), 0]
  const cases = [
    [], [0], [0x80], [0x80, 0], [0x81, 0x80, 0], padded(7), padded(8), padded(9), padded(20), padded(146), padded(147), padded(148),
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x8f, 0x80, 0],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Array(30).fill(0xff), [...padded(30).slice(0, 30), 1]
  ]
  return cases.map(bytes => {
    let value = null // lib0 throws, or returns what no longer is an exact integer
    try {
      const read = decoding.readVarUint(decoding.createDecoder(Uint8Array.from(bytes)))
      if (Number.isSafeInteger(read)) value = read
    } catch {}
    return { bytes: base64(Uint8Array.from(bytes)), value }
  })
}

/** What lib0's readVarString says to byte sequences, UTF-8 or not. */
function texts () {
  const cases = [...strings.map(s => utf8.encode(s)), [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98, 0x80]]
  return cases.map(bytes => {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint8Array(encoder, Uint8Array.from(bytes))
    let value = null
    try {
      value = decoding.readVarString(decoding.createDecoder(encoding.toUint8Array(encoder)))
    } catch {}
    return { bytes: base64(Uint8Array.from(bytes)), value }
  })
}

makeSync()
makeAwareness()
makeAuth()
makeSymphony()
const lines = list => '[\n' + list.map(entry => JSON.stringify(entry)).join(',\n') + '\n]'
process.stdout.write(`{"frames":${lines(frames)},\n"reads":${lines(reads())},\n"texts":${lines(texts())}}\n`)
