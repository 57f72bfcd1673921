package rtclient

import (
	"bytes"
	"sync"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// Merged is a Document for clients that look at a room and do not edit it
// themselves: the merge of all updates that arrived. The zero value is empty.
type Merged struct {
	mu    sync.Mutex
	state []byte
}

var _ Document = (*Merged)(nil)

var emptyUpdate = []byte{0, 0}

// Apply implements Document.
func (d *Merged) Apply(update []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	merged, err := yjs.Merge(d.current(), update)
	if err == nil {
		d.state = merged
	}
	return err
}

func (d *Merged) current() []byte {
	if d.state == nil {
		return emptyUpdate
	}
	return d.state
}

// StateVector implements Document.
func (d *Merged) StateVector() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	vector, err := yjs.StateVector(d.current())
	if err != nil {
		panic("rtclient: the result of a merge does not decode: " + err.Error())
	}
	return vector
}

// Diff implements Document.
func (d *Merged) Diff(vector []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return yjs.Diff(d.current(), vector)
}

// State returns everything that arrived, as one update.
func (d *Merged) State() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.current())
}
