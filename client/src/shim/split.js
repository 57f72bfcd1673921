// Cuts y-protocols messages that are larger than API Gateway takes from a client
// into several that are each valid on their own and together make what the large
// one would have made.

import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'

/**
 * The gateway closes on a frame over 32 KB, and base64 grows bytes by a third:
 * 24,000 raw bytes are 32,000 characters.
 */
export const MAX_MESSAGE = 24_000

// y-protocols: PROTOCOL.md, "Sync Protocol" and "Awareness Protocol".
const MESSAGE_SYNC = 0
const MESSAGE_AWARENESS = 1
const STEP_1 = 0
const UPDATE = 2

/** The most bytes that a varuint of up to 2^53 takes. */
const VARUINT = 8
/** Type, kind and length before an update in a message. */
const MESSAGE_HEAD = 3 * VARUINT
/** What an update has before its structs and after them when it deletes nothing. */
const UPDATE_HEAD = 2 * VARUINT
/** Number of structs, client and first clock: what each client costs in an update. */
const CLIENT_HEAD = 3 * VARUINT
/** A deleted range: clock and length. */
const RANGE = 2 * VARUINT

/** @typedef {typeof import('yjs')} Yjs */
/** @typedef {import('yjs').Item | import('yjs').GC | import('yjs').Skip} Struct */
/** @typedef {{ clients: Map<number, { clock: number, len: number }[]> }} DeleteSet */

/**
 * @param {Yjs} Y
 * @param {Uint8Array} message one y-protocols message
 * @param {number} max raw bytes per message
 * @returns {{ messages: Uint8Array[], lost: string[] }} the messages to send, and
 *   in words what could not be cut small enough and so is in none of them
 */
export function splitMessage (Y, message, max) {
  if (message.byteLength <= max) return { messages: [message], lost: [] }
  const decoder = decoding.createDecoder(message)
  const type = decoding.readVarUint(decoder)
  if (type === MESSAGE_AWARENESS) return splitAwareness(decoding.readVarUint8Array(decoder), max)
  if (type !== MESSAGE_SYNC) {
    return { messages: [], lost: [`a message of type ${type} has ${message.byteLength} bytes; ${max} can be sent`] }
  }
  const kind = decoding.readVarUint(decoder)
  if (kind === STEP_1) {
    // A state vector of thousands of clients. Without one the server sends
    // everything, which is more to receive and as correct.
    return { messages: [syncMessage(STEP_1, Uint8Array.of(0))], lost: [] }
  }
  const { pieces, lost } = splitUpdate(Y, decoding.readVarUint8Array(decoder), max - MESSAGE_HEAD)
  return {
    // A step 2 stays one: its last piece; those before it are plain updates.
    messages: pieces.map((piece, i) => syncMessage(i === pieces.length - 1 ? kind : UPDATE, piece)),
    lost
  }
}

/**
 * @param {number} kind
 * @param {Uint8Array} body
 */
function syncMessage (kind, body) {
  return encoding.encode(encoder => {
    encoding.writeVarUint(encoder, MESSAGE_SYNC)
    encoding.writeVarUint(encoder, kind)
    encoding.writeVarUint8Array(encoder, body)
  })
}

/**
 * Cuts an update (version 1) into pieces of at most `max` bytes.
 *
 * Between structs wherever it fits, and inside runs of text or of array values.
 * What has no inside (a binary value, one huge string in a map) and is larger
 * than `max` is left out and told in `lost`.
 *
 * @param {Yjs} Y
 * @param {Uint8Array} update
 * @param {number} max
 * @returns {{ pieces: Uint8Array[], lost: string[] }}
 */
export function splitUpdate (Y, update, max) {
  if (update.byteLength <= max) return { pieces: [update], lost: [] }
  const { structs, ds } = Y.decodeUpdate(update)
  const lost = /** @type {string[]} */ ([])
  const packer = new Packer(Y, max)
  for (const struct of structs) {
    if (struct instanceof Y.Skip) {
      packer.flush() // a piece may hold a client's structs only without holes
    } else if (!packer.add(struct)) {
      const parts = struct instanceof Y.Item ? sliceItem(Y, struct, packer.room) : []
      for (const part of parts.length > 0 ? parts : [struct]) {
        if (packer.add(part)) continue
        lost.push(describe(part, max))
        packer.flush() // leaving it out makes a hole
      }
    }
  }
  packer.flush()
  packer.pieces.push(...splitDeletes(/** @type {DeleteSet} */ (ds), max))
  return { pieces: packer.pieces, lost }
}

/**
 * @param {Struct} struct
 * @param {number} max
 */
function describe (struct, max) {
  return `one value (client ${struct.id.client}, clock ${struct.id.clock}) is larger than the ${max} bytes ` +
    'a plain Yjs client can send at once; it and what this client does after it stay on this device'
}

/** Fills pieces with structs, in order. */
class Packer {
  /**
   * @param {Yjs} Y
   * @param {number} max
   */
  constructor (Y, max) {
    this.Y = Y
    this.max = max
    /** The most bytes one struct may have. */
    this.room = max - UPDATE_HEAD - CLIENT_HEAD
    /** @type {Uint8Array[]} */
    this.pieces = []
    /** @type {{ first: Struct, encoded: Uint8Array[] }[]} */
    this.runs = []
    this.size = UPDATE_HEAD
  }

  /**
   * @param {Struct} struct
   * @returns {boolean} false when it does not fit into any piece
   */
  add (struct) {
    const encoded = encodeStruct(this.Y, struct)
    if (encoded.length > this.room) return false
    let run = this.runs.at(-1)
    const fresh = run?.first.id.client !== struct.id.client
    if (this.size + encoded.length + (fresh ? CLIENT_HEAD : 0) > this.max) this.flush()
    run = this.runs.at(-1)
    if (run === undefined || run.first.id.client !== struct.id.client) {
      run = { first: struct, encoded: [] }
      this.runs.push(run)
      this.size += CLIENT_HEAD
    }
    run.encoded.push(encoded)
    this.size += encoded.length
    return true
  }

  /** Ends the piece being filled. */
  flush () {
    if (this.runs.length === 0) return
    this.pieces.push(encoding.encode(encoder => {
      encoding.writeVarUint(encoder, this.runs.length)
      for (const { first, encoded } of this.runs) {
        encoding.writeVarUint(encoder, encoded.length)
        encoding.writeVarUint(encoder, first.id.client)
        encoding.writeVarUint(encoder, first.id.clock)
        for (const bytes of encoded) encoding.writeUint8Array(encoder, bytes)
      }
      encoding.writeVarUint(encoder, 0) // deletes nothing
    }))
    this.runs = []
    this.size = UPDATE_HEAD
  }
}

/**
 * @param {Yjs} Y
 * @param {Struct} struct
 */
function encodeStruct (Y, struct) {
  const encoder = new Y.UpdateEncoderV1()
  struct.write(encoder, 0)
  return encoding.toUint8Array(encoder.restEncoder)
}

/**
 * Cuts an item with many elements into items of at most `room` bytes where its
 * elements allow, as Yjs's own splitItem would.
 *
 * @param {Yjs} Y
 * @param {import('yjs').Item} item
 * @param {number} room
 * @returns {import('yjs').Item[]} none when the item has no inside
 */
function sliceItem (Y, item, room) {
  const sizes = elementSizes(Y, item.content)
  if (sizes.length < 2) return []
  const { client, clock } = item.id
  // Everything but the elements, plus the origin that the later parts get.
  const elements = sizes.reduce((sum, size) => sum + size, 0)
  const head = Math.max(encodeStruct(Y, item).length - elements, 0) + 3 * VARUINT
  const parts = []
  for (let from = 0; from < sizes.length;) {
    let to = from
    let size = head
    while (to < sizes.length && (to === from || size + at(sizes, to) <= room)) size += at(sizes, to++)
    while (to < sizes.length && at(sizes, to) === 0) to++ // never inside a surrogate pair
    parts.push(new Y.Item(
      Y.createID(client, clock + from), null,
      from > 0 ? Y.createID(client, clock + from - 1) : item.origin, null,
      item.rightOrigin, item.parent, item.parentSub,
      contentSlice(item.content, from, to)
    ))
    from = to
  }
  return parts
}

/**
 * @param {number[]} sizes
 * @param {number} i
 */
function at (sizes, i) {
  return /** @type {number} */ (sizes[i])
}

/**
 * The encoded size of each element, none when the content has no elements. The
 * second half of a surrogate pair has size 0: it belongs to the first.
 *
 * @param {Yjs} Y
 * @param {import('yjs').Item['content']} content
 * @returns {number[]}
 */
function elementSizes (Y, content) {
  if (content instanceof Y.ContentString) return utf8Sizes(content.str)
  if (content instanceof Y.ContentAny) {
    return content.arr.map(value => encoding.encode(encoder => encoding.writeAny(encoder, value)).length)
  }
  if (content instanceof Y.ContentJSON) {
    return content.arr.map(value => encoding.encode(encoder =>
      encoding.writeVarString(encoder, value === undefined ? 'undefined' : JSON.stringify(value))).length)
  }
  return []
}

/**
 * @param {string} text
 * @returns {number[]} UTF-8 bytes per UTF-16 unit
 */
function utf8Sizes (text) {
  const sizes = new Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const next = text.charCodeAt(i + 1) // NaN after the end
    if (code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      sizes[i++] = 4
      sizes[i] = 0
    } else {
      sizes[i] = code < 0x80 ? 1 : code < 0x800 ? 2 : 3
    }
  }
  return sizes
}

/**
 * @param {import('yjs').Item['content']} content
 * @param {number} from
 * @param {number} to
 */
function contentSlice (content, from, to) {
  let slice = content.copy()
  if (from > 0) slice = slice.splice(from)
  if (to - from < slice.getLength()) slice.splice(to - from)
  return slice
}

/**
 * Updates that only delete, each of at most `max` bytes.
 * @param {DeleteSet} ds
 * @param {number} max
 * @returns {Uint8Array[]}
 */
function splitDeletes (ds, max) {
  const perPiece = Math.max(1, Math.floor((max - UPDATE_HEAD) / (RANGE + CLIENT_HEAD)))
  const ranges = [...ds.clients].flatMap(([client, items]) => items.map(({ clock, len }) => ({ client, clock, len })))
  const pieces = []
  for (let i = 0; i < ranges.length; i += perPiece) pieces.push(encodeDeletes(ranges.slice(i, i + perPiece)))
  return pieces
}

/** @param {{ client: number, clock: number, len: number }[]} ranges grouped by client */
function encodeDeletes (ranges) {
  const clients = /** @type {Map<number, { clock: number, len: number }[]>} */ (new Map())
  for (const range of ranges) {
    const of = clients.get(range.client)
    if (of === undefined) clients.set(range.client, [range])
    else of.push(range)
  }
  return encoding.encode(encoder => {
    encoding.writeVarUint(encoder, 0) // no structs
    encoding.writeVarUint(encoder, clients.size)
    for (const [client, items] of clients) {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, items.length)
      for (const { clock, len } of items) {
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarUint(encoder, len)
      }
    }
  })
}

/**
 * Cuts an awareness update between its clients.
 * @param {Uint8Array} update
 * @param {number} max
 * @returns {{ messages: Uint8Array[], lost: string[] }}
 */
function splitAwareness (update, max) {
  const decoder = decoding.createDecoder(update)
  const lost = /** @type {string[]} */ ([])
  const groups = /** @type {Uint8Array[][]} */ ([[]])
  let size = 0
  for (let n = decoding.readVarUint(decoder); n > 0; n--) {
    const from = decoder.pos
    const client = decoding.readVarUint(decoder)
    decoding.readVarUint(decoder) // clock
    decoding.readVarString(decoder) // state
    const entry = update.slice(from, decoder.pos)
    if (entry.length + MESSAGE_HEAD > max) {
      lost.push(`the presence of client ${client} is larger than the ${max} bytes that can be sent`)
      continue
    }
    if (size + entry.length + MESSAGE_HEAD > max) {
      groups.push([])
      size = 0
    }
    groups.at(-1)?.push(entry)
    size += entry.length
  }
  return { messages: groups.filter(group => group.length > 0).map(awarenessMessage), lost }
}

/** @param {Uint8Array[]} entries */
function awarenessMessage (entries) {
  const update = encoding.encode(encoder => {
    encoding.writeVarUint(encoder, entries.length)
    for (const entry of entries) encoding.writeUint8Array(encoder, entry)
  })
  return encoding.encode(encoder => {
    encoding.writeVarUint(encoder, MESSAGE_AWARENESS)
    encoding.writeVarUint8Array(encoder, update)
  })
}
