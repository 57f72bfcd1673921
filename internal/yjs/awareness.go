package yjs

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// ErrAwarenessState says that the state of a client is JSON, but neither an object nor null. y-protocols passes it on, and
// applications that read a member of it fail.
var ErrAwarenessState = errors.New("awareness state is neither an object nor null")

// AwarenessLimits bounds awareness updates and tables. A field that is zero means its default.
type AwarenessLimits struct {
	// MaxClients is how many clients one update may have, and how many a table keeps, removed ones included.
	MaxClients int
	// MaxStateBytes is the longest state, as JSON.
	MaxStateBytes int
	// MaxDepth is the deepest nesting of arrays and objects in a state.
	MaxDepth int
}

const (
	// DefaultMaxAwarenessClients is 10,000: a state has 20 bytes at least, and a room that large does not work.
	DefaultMaxAwarenessClients = 10_000
	// DefaultMaxAwarenessState is 64 KiB: states are sent again every 15 s, and for every move of a cursor.
	DefaultMaxAwarenessState = 64 << 10
	// DefaultMaxAwarenessDepth is 64: states are made by applications, and are flat.
	DefaultMaxAwarenessDepth = 64
)

func (l AwarenessLimits) filled() AwarenessLimits {
	if l.MaxClients <= 0 {
		l.MaxClients = DefaultMaxAwarenessClients
	}
	if l.MaxStateBytes <= 0 {
		l.MaxStateBytes = DefaultMaxAwarenessState
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxAwarenessDepth
	}
	return l
}

// AwarenessState is what one client says about itself: its cursor, name and so on.
type AwarenessState struct {
	Client uint64
	// Clock counts the states of the client. Of two states of one client that with the higher clock is newer.
	Clock uint64
	// State is a JSON object, as the client wrote it. nil says that the client is gone.
	State json.RawMessage
}

// DecodeAwareness decodes an awareness update (y-protocols awareness.js, encodeAwarenessUpdate): states of distinct or
// equal clients in their order. It returns a *DecodeError that wraps ErrTruncated, ErrTrailing, ErrNumber, ErrUTF8,
// ErrJSON, ErrDepth, ErrTooLarge or ErrAwarenessState.
//
// y-protocols ignores trailing bytes and takes any JSON for a state; both are refused here.
func DecodeAwareness(update []byte) ([]AwarenessState, error) {
	return AwarenessLimits{}.Decode(update)
}

// minAwarenessState is the fewest bytes of a state: client, clock and length.
const minAwarenessState = 3

// Decode is DecodeAwareness with these limits.
func (l AwarenessLimits) Decode(update []byte) ([]AwarenessState, error) {
	l = l.filled()
	r := reader{buf: update, maxDepth: l.MaxDepth}
	n := r.count(minAwarenessState)
	if n > uint64(l.MaxClients) {
		r.fail(ErrTooLarge)
	}
	var states []AwarenessState
	for ; n > 0 && r.err == nil; n-- {
		s := AwarenessState{Client: r.uvarint(), Clock: r.uvarint()}
		s.State = r.awarenessState(l.MaxStateBytes)
		states = append(states, s)
	}
	if r.err == nil && r.remaining() > 0 {
		r.fail(ErrTrailing)
	}
	if r.err != nil {
		return nil, r.err
	}
	return states, nil
}

// awarenessState reads one state, nil for null.
func (r *reader) awarenessState(maxBytes int) json.RawMessage {
	raw := r.varBytes()
	if r.err != nil {
		return nil
	}
	if len(raw) > maxBytes {
		r.fail(ErrTooLarge)
		return nil
	}
	if err := checkState(raw, r.maxDepth); err != nil {
		r.fail(err)
		return nil
	}
	raw = bytes.Trim(raw, " \t\r\n")
	if raw[0] != '{' {
		return nil
	}
	return bytes.Clone(raw)
}

// checkState checks the JSON of a state.
func checkState(raw []byte, maxDepth int) error {
	if err := checkText(raw, maxDepth); err != nil {
		return err
	}
	if first := bytes.TrimLeft(raw, " \t\r\n")[0]; first != '{' && first != 'n' {
		return ErrAwarenessState
	}
	return nil
}

// EncodeAwareness encodes an awareness update with these states, in this order. They have to be JSON objects or nil.
func EncodeAwareness(states []AwarenessState) []byte {
	out := appendUvarint(nil, uint64(len(states)))
	for _, s := range states {
		state := s.State
		if state == nil {
			state = json.RawMessage("null")
		}
		out = appendVarBytes(appendUvarint(appendUvarint(out, s.Client), s.Clock), state)
	}
	return out
}

// Awareness is a table of the newest state of each client, with the rules of y-protocols' Awareness: of two states the one
// with the higher clock counts, and a client that is gone counts at an equal clock too. The clocks of those that are gone
// are kept, so that their old states do not come back.
//
// It has no timers: Expire does what y-protocols does every three seconds. It must not be used concurrently.
type Awareness struct {
	limits  AwarenessLimits
	clients map[uint64]*awarenessEntry
	local   *uint64
}

type awarenessEntry struct {
	clock   uint64
	state   json.RawMessage // nil: gone
	updated time.Time
}

// AwarenessChange lists the clients that a step concerned: those new to the table, those with another or renewed state,
// and those that are gone.
type AwarenessChange struct {
	Added, Updated, Removed []uint64
}

// IsZero is true when the step changed nothing.
func (c AwarenessChange) IsZero() bool {
	return len(c.Added) == 0 && len(c.Updated) == 0 && len(c.Removed) == 0
}

// NewAwareness returns an empty table with the default limits.
func NewAwareness() *Awareness { return AwarenessLimits{}.NewAwareness() }

// NewAwareness returns an empty table with these limits.
func (l AwarenessLimits) NewAwareness() *Awareness {
	return &Awareness{limits: l.filled(), clients: map[uint64]*awarenessEntry{}}
}

// Apply takes the states of an update that are newer (applyAwarenessUpdate of y-protocols). now is noted as the time at
// which they were. It returns an error of DecodeAwareness, or ErrTooLarge when the table would get more clients than its
// limit, with the table unchanged.
func (a *Awareness) Apply(update []byte, now time.Time) (AwarenessChange, error) {
	states, err := a.limits.Decode(update)
	if err != nil {
		return AwarenessChange{}, err
	}
	added := map[uint64]struct{}{}
	for _, s := range states {
		if a.clients[s.Client] == nil {
			added[s.Client] = struct{}{}
		}
	}
	if len(a.clients)+len(added) > a.limits.MaxClients {
		return AwarenessChange{}, &DecodeError{Offset: len(update), Err: ErrTooLarge}
	}
	var change AwarenessChange
	for _, s := range states {
		a.apply(s, now, &change)
	}
	return change, nil
}

// apply takes one state.
func (a *Awareness) apply(s AwarenessState, now time.Time, change *AwarenessChange) {
	e := a.clients[s.Client]
	known, clock := e != nil, uint64(0)
	if known {
		clock = e.clock
	}
	if s.Clock < clock || s.Clock == clock && (s.State != nil || !known || e.state == nil) {
		return
	}
	if !known {
		e = &awarenessEntry{}
		a.clients[s.Client] = e
	}
	e.clock, e.updated = s.Clock, now
	switch {
	case s.State == nil && a.local != nil && *a.local == s.Client && e.state != nil:
		e.clock = min(e.clock+1, maxSafe) // others are told that this client is still there
	default:
		e.state = s.State
	}
	switch {
	case s.State != nil && !known:
		change.Added = append(change.Added, s.Client)
	case s.State != nil:
		change.Updated = append(change.Updated, s.Client)
	case known:
		change.Removed = append(change.Removed, s.Client)
	}
}

// Set sets the state of the table's own client, nil when that goes (setLocalState of y-protocols). From then on, other
// clients cannot remove it. It returns ErrUTF8, ErrJSON, ErrDepth, ErrTooLarge or ErrAwarenessState, wrapped in a
// *DecodeError, for a state that DecodeAwareness would refuse.
func (a *Awareness) Set(client uint64, state json.RawMessage, now time.Time) (AwarenessChange, error) {
	err := error(nil)
	switch e := a.clients[client]; {
	case client > maxSafe:
		err = ErrNumber
	case len(state) > a.limits.MaxStateBytes || e == nil && len(a.clients) >= a.limits.MaxClients:
		err = ErrTooLarge
	case state != nil:
		err = checkState(state, a.limits.MaxDepth)
	}
	if err != nil {
		return AwarenessChange{}, &DecodeError{Err: err}
	}
	state = bytes.Trim(bytes.Clone(state), " \t\r\n")
	if len(state) == 0 || state[0] != '{' {
		state = nil
	}
	a.local = &client
	e, known := a.clients[client]
	if !known {
		e = &awarenessEntry{}
		a.clients[client] = e
	} else {
		e.clock++
	}
	before := e.state
	e.state, e.updated = state, now
	var change AwarenessChange
	switch {
	case state == nil:
		change.Removed = []uint64{client}
	case before == nil:
		change.Added = []uint64{client}
	default:
		change.Updated = []uint64{client}
	}
	return change, nil
}

// Remove takes clients for gone, for example because their connection is (removeAwarenessStates of y-protocols). To tell
// others, send Encode of those it returns, or EncodeAwareness with a higher clock.
func (a *Awareness) Remove(clients []uint64, now time.Time) (removed []uint64) {
	for _, client := range clients {
		e := a.clients[client]
		if e == nil || e.state == nil {
			continue
		}
		e.state = nil
		if a.local != nil && *a.local == client {
			e.clock++
			e.updated = now
		}
		removed = append(removed, client)
	}
	return removed
}

// AwarenessTimeout is how long y-protocols keeps a client that it does not hear of. Clients renew their state after half
// of it.
const AwarenessTimeout = 30 * time.Second

// Expire removes the clients, other than the table's own, that have not been heard of for a while before now, and returns
// them, ascending.
func (a *Awareness) Expire(now time.Time, timeout time.Duration) []uint64 {
	var old []uint64
	for client, e := range a.clients {
		if e.state != nil && now.Sub(e.updated) >= timeout && (a.local == nil || *a.local != client) {
			old = append(old, client)
		}
	}
	slices.Sort(old)
	return a.Remove(old, now)
}

// Forget drops the clocks of clients that have been gone for a while before now, and so makes room in the table.
func (a *Awareness) Forget(now time.Time, after time.Duration) {
	for client, e := range a.clients {
		if e.state == nil && now.Sub(e.updated) >= after {
			delete(a.clients, client)
		}
	}
}

// States returns the states of all clients that are not gone, by client ascending.
func (a *Awareness) States() []AwarenessState {
	var states []AwarenessState
	for client, e := range a.clients {
		if e.state != nil {
			states = append(states, AwarenessState{client, e.clock, e.state})
		}
	}
	slices.SortFunc(states, func(x, y AwarenessState) int {
		if x.Client < y.Client {
			return -1
		}
		return 1
	})
	return states
}

// Encode returns an update with what the table has of these clients, in their order; nothing for those it does not know.
func (a *Awareness) Encode(clients ...uint64) []byte {
	var states []AwarenessState
	for _, client := range clients {
		if e := a.clients[client]; e != nil {
			states = append(states, AwarenessState{client, e.clock, e.state})
		}
	}
	return EncodeAwareness(states)
}
