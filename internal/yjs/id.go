package yjs

// maxSafe is Number.MAX_SAFE_INTEGER, the largest client id, clock or length that JavaScript keeps exactly.
const maxSafe = 1<<53 - 1

// ID names one unit of content: the clock-th thing a client inserted. An item of length n occupies n consecutive
// clocks; the unit is one UTF-16 code unit for text and one element for arrays.
type ID struct {
	Client uint64
	Clock  uint64
}
