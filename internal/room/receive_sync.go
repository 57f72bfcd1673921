package room

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// The sync messages of y-protocols (sync.js), for clients that never say hello.
// https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md

// syncStep1 answers a client's state vector with what it is missing, as step 2.
// Members are registered when they connect, so the log is read after the
// registration (guarantee 2).
//
// Before the answer the client is posted the server's own step 1, so that it
// sends what it alone has: edits made offline, or before a failed write. A
// state that does not fit one message comes as updates, each valid on its own,
// posted first; the last piece is the step 2, so that a client that waits for
// it to call itself synced has everything.
func (s *Service) syncStep1(ctx context.Context, v *visit, m *protocol.SyncStep1) (protocol.Message, error) {
	theirs, err := yjs.DecodeStateVector(m.StateVector)
	if err != nil {
		return nil, fmt.Errorf("%w: state vector: %w", ErrMalformed, err)
	}
	state, err := s.load(ctx, v)
	if err != nil {
		return nil, err
	}
	vector, err := state.vectorFor(theirs)
	if err != nil {
		return nil, err
	}
	missing, err := state.missing(m.StateVector)
	if err != nil {
		return nil, err
	}
	pieces, err := split(missing, maxUpdateInMessage)
	if err != nil {
		return nil, err
	}
	frames := [][]byte{protocol.EncodeFrame(&protocol.SyncStep1{StateVector: vector})}
	last := len(pieces) - 1
	for _, p := range pieces[:last] {
		frames = append(frames, protocol.EncodeFrame(&protocol.SyncUpdate{Update: p}))
	}
	if err := s.deliver(ctx, v, frames...); err != nil {
		return nil, err
	}
	s.askPresence(ctx, v)
	return &protocol.SyncStep2{Update: pieces[last]}, nil
}

// syncStep2 stores what a client alone has: its answer to our step 1. That
// answer always has the client's whole delete set, so it is seldom empty and
// usually nothing new; such an answer is not stored, whoever sends it. A reader
// whose answer holds something new is refused.
func (s *Service) syncStep2(ctx context.Context, v *visit, m *protocol.SyncStep2) (protocol.Message, error) {
	if err := validate(m.Update); err != nil {
		return nil, err
	}
	empty, err := yjs.IsEmpty(m.Update)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidUpdate, err)
	}
	if empty {
		return nil, nil
	}
	state, err := s.load(ctx, v)
	if err != nil {
		return nil, err
	}
	known, err := yjs.Contains(state.update, m.Update)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if known {
		return nil, nil
	}
	_, err = s.edit(ctx, v, m.Update, "")
	return nil, err
}

// syncUpdate stores a client's edit. y-protocols has no acknowledgement.
func (s *Service) syncUpdate(ctx context.Context, v *visit, m *protocol.SyncUpdate) (protocol.Message, error) {
	_, err := s.edit(ctx, v, m.Update, "")
	return nil, err
}
