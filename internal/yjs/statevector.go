package yjs

import (
	"maps"
	"slices"
)

// descending says whether every element is less than the one before.
func descending(v []uint64) bool {
	for i := 1; i < len(v); i++ {
		if v[i] >= v[i-1] {
			return false
		}
	}
	return true
}

func sortDescending(v []uint64) {
	slices.Sort(v)
	slices.Reverse(v)
}

// StateVector returns the encoded state vector of an update: for each client the first clock the update does not have,
// counted from clock 0 up to the first gap. Clients whose structs begin later are left out. Clients descend. It answers
// as Y.encodeStateVectorFromUpdate does, which does not look at causality: a client that has applied the update may
// know less, when structs wait for others.
func StateVector(update []byte) ([]byte, error) {
	state, err := stateOf(update, DefaultLimits())
	if err != nil {
		return nil, err
	}
	return state.append(make([]byte, 0, 1+len(state)*10)), nil
}

// clientClock is one entry of a state vector.
type clientClock struct {
	client uint64
	clock  uint64
}

// stateVector is a state vector, clients descending, clocks above zero.
type stateVector []clientClock

func (s stateVector) append(out []byte) []byte {
	out = appendUvarint(out, uint64(len(s)))
	for _, e := range s {
		out = appendUvarint(appendUvarint(out, e.client), e.clock)
	}
	return out
}

// clock returns the clock of a client, zero when it is not there.
func (s stateVector) clock(client uint64) uint64 {
	i, found := slices.BinarySearchFunc(s, client, func(e clientClock, c uint64) int {
		switch {
		case e.client > c:
			return -1
		case e.client < c:
			return 1
		}
		return 0
	})
	if !found {
		return 0
	}
	return s[i].clock
}

// sorted sorts s and returns it.
func (s stateVector) sorted() stateVector {
	slices.SortFunc(s, func(a, b clientClock) int {
		switch {
		case a.client > b.client:
			return -1
		case a.client < b.client:
			return 1
		}
		return 0
	})
	return s
}

// stateOf reads update strictly and returns its state vector.
func stateOf(update []byte, limits Limits) (stateVector, error) {
	var u updateReader
	u.start(update, limits)
	var state stateVector
	var clients []uint64
	var b block
	for u.nextClient() {
		clients = append(clients, u.client)
		contiguous := u.clock == 0
		clock := uint64(0)
		for u.next(&b) {
			if b.ref == refSkip && b.length > 0 {
				contiguous = false
			}
			if contiguous {
				clock = b.end()
			}
		}
		if clock > 0 {
			state = append(state, clientClock{u.client, clock})
		}
	}
	if err := u.finish(); err != nil {
		return nil, err
	}
	if err := checkDistinct(clients, len(update)); err != nil {
		return nil, err
	}
	return state.sorted(), nil
}

// DecodeStateVector decodes a state vector (what Y.encodeStateVector makes) into clocks by client. Entries of clock
// zero are kept. It returns a *DecodeError for input that is truncated, has trailing bytes or numbers above 2^53-1, and
// for a client that comes twice.
func DecodeStateVector(vector []byte) (map[uint64]uint64, error) {
	entries, err := readStateVector(vector)
	if err != nil {
		return nil, err
	}
	m := make(map[uint64]uint64, len(entries))
	for _, e := range entries {
		m[e.client] = e.clock
	}
	return m, nil
}

// readStateVector decodes a state vector and sorts it.
func readStateVector(vector []byte) (stateVector, error) {
	r := reader{buf: vector}
	n := r.count(2)
	s := make(stateVector, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		s = append(s, clientClock{r.uvarint(), r.uvarint()})
	}
	if r.err == nil && r.remaining() > 0 {
		r.fail(ErrTrailing)
	}
	if r.err != nil {
		return nil, r.err
	}
	s.sorted()
	for i := 1; i < len(s); i++ {
		if s[i].client == s[i-1].client {
			return nil, &DecodeError{Offset: len(vector), Err: ErrDuplicateClient}
		}
	}
	return s, nil
}

// EncodeStateVector encodes clocks by client as Y.encodeStateVector does, clients descending.
func EncodeStateVector(clocks map[uint64]uint64) []byte {
	clients := slices.Collect(maps.Keys(clocks))
	sortDescending(clients)
	out := appendUvarint(make([]byte, 0, 1+len(clients)*10), uint64(len(clients)))
	for _, c := range clients {
		out = appendUvarint(appendUvarint(out, c), clocks[c])
	}
	return out
}
