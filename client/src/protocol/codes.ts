/** The codes of an error message (131): docs/PROTOCOL.md, "Errors". Each by itself, so that a bundler keeps none of them. */

export const malformed = 1
export const tooLarge = 2
export const invalidUpdate = 3
export const invalidAwareness = 4
export const readOnly = 5
export const denied = 6
export const unknownConnection = 7
export const unavailable = 8
export const unsupported = 9
export const roomId = 10
export const throttled = 11
export const internal = 12
