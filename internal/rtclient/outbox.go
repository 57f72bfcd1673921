package rtclient

import (
	"slices"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// pending is an update the server has not acknowledged.
type pending struct {
	id     uint64
	update []byte
	// resendAt is when to send it (again) if it is still there.
	resendAt time.Time
	// tries counts how often it was sent.
	tries int
	// large says it is uploaded, and then hash is set; upload is the server's name for it once the
	// bytes are there; uploading, that a PUT is under way.
	large     bool
	hash      [32]byte
	upload    string
	uploading bool
}

// message returns what to send for p now, nil while a PUT is under way.
func (p *pending) message() protocol.Message {
	switch {
	case !p.large:
		return &protocol.Submit{ID: p.id, Update: p.update}
	case p.uploading:
		return nil
	case p.upload != "":
		return &protocol.UploadCommit{ID: p.id, Upload: p.upload}
	}
	return &protocol.UploadRequest{ID: p.id, Size: uint64(len(p.update)), SHA256: p.hash}
}

// outbox keeps the unacknowledged updates in the order of their ids.
type outbox struct {
	items  []*pending
	lastID uint64
}

// add gives p its id.
func (o *outbox) add(p *pending) {
	o.lastID++
	p.id = o.lastID
	o.items = append(o.items, p)
}

func (o *outbox) find(id uint64) *pending {
	i, ok := o.index(id)
	if !ok {
		return nil
	}
	return o.items[i]
}

// remove reports whether id was there.
func (o *outbox) remove(id uint64) bool {
	i, ok := o.index(id)
	if ok {
		o.items = slices.Delete(o.items, i, i+1)
	}
	return ok
}

func (o *outbox) index(id uint64) (int, bool) {
	return slices.BinarySearchFunc(o.items, id, func(p *pending, id uint64) int {
		switch {
		case p.id < id:
			return -1
		case p.id > id:
			return 1
		}
		return 0
	})
}

// due returns the messages whose time has come and gives each the next time.
func (o *outbox) due(now, again time.Time) []protocol.Message {
	var out []protocol.Message
	for _, p := range o.items {
		if p.resendAt.After(now) {
			continue
		}
		p.resendAt = again
		if m := p.message(); m != nil {
			p.tries++
			out = append(out, m)
		}
	}
	return out
}

// next returns the earliest time of a resend, zero when there is none.
func (o *outbox) next() time.Time {
	var at time.Time
	for _, p := range o.items {
		if at.IsZero() || p.resendAt.Before(at) {
			at = p.resendAt
		}
	}
	return at
}
