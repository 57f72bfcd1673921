package yjs

import (
	"bytes"
	"fmt"

	ycrdt "github.com/skyterra/y-crdt"
)

// secondOpinion is CheckSecondOpinion: it asks an implementation that is not ours for the state vector of the result,
// which has been validated before. That implementation decodes content into Go values and may stumble over values that
// Go has no room for, so if it does not agree it is asked again about the same structs with empty content.
func secondOpinion(result []byte, state stateVector) error {
	want := state.append(nil)
	got, err := theirStateVector(result)
	if err == nil && bytes.Equal(got, want) {
		return nil
	}
	got, err = theirStateVector(skeleton(result))
	if err != nil {
		return &VerifyError{Check: CheckSecondOpinion, Input: -1, Err: err}
	}
	if !bytes.Equal(got, want) {
		return &VerifyError{
			Check: CheckSecondOpinion, Input: -1,
			Detail: fmt.Sprintf("it computes state vector %x, we %x", got, want),
		}
	}
	return nil
}

// theirStateVector turns a panic into an error.
func theirStateVector(update []byte) (vector []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("y-crdt: panic: %v", r)
		}
	}()
	return ycrdt.EncodeStateVectorFromUpdate(update), nil
}

// skeleton returns a valid update with the same structs and the simplest content of the same kinds.
func skeleton(update []byte) []byte {
	u := newUpdateReader(update, DefaultLimits())
	u.trusted = true
	w := newUpdateWriter(len(update))
	var b block
	for u.nextClient() {
		for u.next(&b) {
			switch b.ref {
			case refAny:
				b.content = bytes.Repeat([]byte{anyNull}, int(b.length))
			case refJSON:
				b.content = bytes.Repeat([]byte("\x04null"), int(b.length))
			case refBinary:
				b.content = []byte{0}
			case refEmbed:
				b.content = []byte("\x04null")
			case refFormat:
				b.content = []byte("\x00\x04null")
			case refDoc:
				b.content = []byte{0, anyObject, 0}
			}
			w.add(&b)
		}
	}
	return w.finish(nil)
}
