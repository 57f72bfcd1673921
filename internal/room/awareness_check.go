package room

import (
	"encoding/binary"
	"encoding/json"
	"errors"
)

// countAwareness reads an awareness update (y-protocols awareness.js,
// encodeAwarenessUpdate): a count, then per state the client id, its clock and
// the state as JSON text. It returns how many states there are.
func countAwareness(b []byte) (int, error) {
	bad := errors.New("not an awareness update")
	uint := func() (uint64, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > 1<<53-1 {
			return 0, false
		}
		b = b[n:]
		return v, true
	}
	count, ok := uint()
	if !ok || count > uint64(len(b)) {
		return 0, bad
	}
	for range count {
		_, ok1 := uint()
		_, ok2 := uint()
		n, ok3 := uint()
		if !ok1 || !ok2 || !ok3 || n > uint64(len(b)) || !json.Valid(b[:n]) {
			return 0, bad
		}
		b = b[n:]
	}
	if len(b) != 0 {
		return 0, bad
	}
	return int(count), nil
}
