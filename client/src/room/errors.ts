/** What can be wrong with a call, as types an app can tell apart; `code` survives minifiers and copies of the package. */

/** A value that is not JSON, or a key that is not taken. */
export class InvalidValueError extends TypeError {
  override name = 'InvalidValueError'
  readonly code = 'invalid-value'
}

/** An index outside of the list or text. */
export class IndexError extends RangeError {
  override name = 'IndexError'
  readonly code = 'index'
}

/** The room has something else under this name. */
export class TypeClashError extends TypeError {
  override name = 'TypeClashError'
  readonly code = 'type-clash'
}

/** The value is in a room already: it cannot be in two places. */
export class AttachedError extends Error {
  override name = 'AttachedError'
  readonly code = 'attached'
}

/** The value was taken out of the room: it cannot be changed any more. */
export class RemovedError extends Error {
  override name = 'RemovedError'
  readonly code = 'removed'
}

/** This user may only read the room. */
export class ReadOnlyError extends Error {
  override name = 'ReadOnlyError'
  readonly code = 'read-only'
}

/** The room was left. */
export class LeftRoomError extends Error {
  override name = 'LeftRoomError'
  readonly code = 'left'
}
