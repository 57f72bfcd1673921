package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// Receive handles one text frame of a client and returns the frame that
// answers it, nil for none. The caller sends the reply to the client, as the
// route response.
//
// An error is one of errors.go, wrapped: in a *MessageError when the message
// had an id. It is to be turned into a typed error for the client, except that
//
//   - with ErrDisconnected the connection is already closed;
//   - with a reply as well, the reply is what the client gets: a plain client
//     is told of missing permission in its own protocol.
//
// After a refusal nothing was written (guarantee 8): the frame is decoded
// strictly, the sender admitted and the update validated before anything is.
func (s *Service) Receive(ctx context.Context, from Origin, frame string) (reply []byte, err error) {
	m, err := protocol.DecodeClientFrame(frame)
	switch {
	case errors.Is(err, protocol.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var answer protocol.Message
	v, err := s.admit(ctx, from, m)
	if err == nil {
		answer, err = s.handle(ctx, v, m, frame)
	}
	if err != nil {
		return s.failed(ctx, from, v, m, err)
	}
	switch answer := answer.(type) {
	case nil:
		return nil, nil
	case echo:
		return []byte(frame), nil
	default:
		return protocol.EncodeFrame(answer), nil
	}
}

// echo, as an answer, stands for the client's own frame.
type echo struct{ protocol.Message }

// handle is the table of what clients send.
func (s *Service) handle(ctx context.Context, v *visit, m protocol.Message, frame string) (protocol.Message, error) {
	switch m := m.(type) {
	case *protocol.SyncStep1:
		return s.syncStep1(ctx, v, m)
	case *protocol.SyncStep2:
		return s.syncStep2(ctx, v, m)
	case *protocol.SyncUpdate:
		return s.syncUpdate(ctx, v, m)
	case *protocol.Awareness:
		return s.awareness(ctx, v, m, frame)
	case *protocol.TabPresence:
		return s.tabPresence(ctx, v, m)
	case *protocol.QueryAwareness:
		return s.queryAwareness(ctx, v)
	case *protocol.Event:
		return s.event(ctx, v, m)
	case *protocol.Hello:
		return s.hello(ctx, v, m)
	case *protocol.Submit:
		return s.submit(ctx, v, m)
	case *protocol.RangeRequest:
		return s.rangeRequest(ctx, v, Seq(m.After), Seq(m.Through))
	case *protocol.Probe:
		return s.probe(ctx, v, Seq(m.Seq))
	case *protocol.UploadRequest:
		return s.uploadRequest(ctx, v, m)
	case *protocol.UploadCommit:
		return s.uploadCommit(ctx, v, m)
	}
	return nil, fmt.Errorf("%w: type %d is not for servers", ErrMalformed, m.Type())
}

// submit stores an update and acknowledges it. An empty one is stored like any
// other: its acknowledgement needs a number that is its own.
func (s *Service) submit(ctx context.Context, v *visit, m *protocol.Submit) (protocol.Message, error) {
	seq, err := s.edit(ctx, v, m.Update, "")
	if err != nil {
		return nil, err
	}
	return &protocol.Ack{ID: m.ID, Seq: uint64(seq)}, nil
}

// failed decides what becomes of a message that could not be handled. v is nil
// when it was not admitted.
func (s *Service) failed(ctx context.Context, from Origin, v *visit, m protocol.Message, err error) ([]byte, error) {
	var loads, plain bool
	var id uint64
	switch m := m.(type) {
	case *protocol.SyncStep1, *protocol.SyncStep2, *protocol.SyncUpdate:
		plain, loads = true, true
	case *protocol.Awareness, *protocol.QueryAwareness:
		plain = true
	case *protocol.Hello, *protocol.RangeRequest:
		loads = true
	case *protocol.Submit:
		id = m.ID
	case *protocol.UploadRequest:
		id = m.ID
	case *protocol.UploadCommit:
		id = m.ID
	}
	switch {
	case plain && errors.Is(err, ErrUnknownConnection):
		// An unmodified client understands no error of ours; closed, it comes
		// back and is known again. The typed error goes out too.
		_ = s.disconnect(ctx, from.Connection, err)
	case plain && (errors.Is(err, ErrReadOnly) || errors.Is(err, ErrDenied)) && (v == nil || !v.Member.Symphony):
		// What y-protocols has for it (auth.js).
		return protocol.EncodeFrame(&protocol.Auth{Reason: "permission denied"}), err
	case loads && !isRefusal(err):
		// A failed load is never an empty document (guarantee 5): the client has
		// got nothing it could take for one, and starts over. A plain client whose
		// update was not stored learns it the same way, and on its return the
		// server's own step 1 fetches what is missing.
		return nil, s.disconnect(ctx, from.Connection, err)
	}
	if id != 0 {
		err = &MessageError{ID: id, Err: err}
	}
	return nil, err
}
