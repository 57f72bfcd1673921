package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// probe answers a client that tells the last number it has (guarantee 3): with
// the tail when there is nothing newer, else with what it lacks. A client that
// is past the tail sees so by the answer and says hello again.
func (s *Service) probe(ctx context.Context, v *visit, has Seq) (protocol.Message, error) {
	tail, err := s.Log.Tail(ctx, v.Room, v.Meta.Snapshot.Seq)
	if err != nil {
		return nil, err
	}
	if tail <= has {
		return &protocol.Tail{Seq: uint64(tail)}, nil
	}
	answer, err := s.rangeRequest(ctx, v, has, 0)
	if err != nil && !isRefusal(err) {
		return nil, s.disconnect(ctx, v.Member.Connection, err) // as a failed range request
	}
	return answer, err
}

// rangeRequest answers with the updates after `after` through `through` (0:
// everything), merged. When the log no longer has them, the whole document
// takes their place, by a link if it is large: it holds them. Nothing newer is answered with the tail.
func (s *Service) rangeRequest(ctx context.Context, v *visit, after, through Seq) (protocol.Message, error) {
	if through != 0 && through <= after {
		return nil, fmt.Errorf("%w: a range after %d through %d", ErrMalformed, after, through)
	}
	c, err := s.missed(ctx, v, after, through)
	if err != nil {
		return nil, err
	}
	if c.through == after {
		tail, err := s.Log.Tail(ctx, v.Room, v.Meta.Snapshot.Seq)
		if err != nil {
			return nil, err
		}
		return &protocol.Tail{Seq: uint64(tail)}, nil
	}
	if err := s.deliverLink(ctx, v, c); err != nil {
		return nil, err
	}
	pieces, err := split(c.update, maxUpdateInMessage)
	if err != nil {
		return nil, err
	}
	last := len(pieces) - 1
	if err := s.deliver(ctx, v, rangeFrames(after, c.through, pieces)[:last]...); err != nil {
		return nil, err
	}
	return &protocol.Range{After: uint64(after), Through: uint64(c.through), Update: pieces[last]}, nil
}

// missed returns the log after `after` through `through`, or the document.
func (s *Service) missed(ctx context.Context, v *visit, after, through Seq) (catchUp, error) {
	entries, err := s.readLog(ctx, v.Room, after, through)
	if err == nil {
		err = s.checkFresh(v.admitted)
	}
	got := after + Seq(len(entries))
	switch {
	case errors.Is(err, ErrTrimmed), err == nil && got < v.Meta.Snapshot.Seq && (through == 0 || got < through):
		d, err := s.load(ctx, v)
		if err != nil {
			return catchUp{}, err
		}
		c := catchUp{after: after, through: d.seq, update: d.update}
		return c, s.link(ctx, v, &c, d)
	case err != nil:
		return catchUp{}, err
	}
	update, err := merge(dataOf(entries))
	if err != nil {
		return catchUp{}, fmt.Errorf("room %q: %w", v.Room, err)
	}
	return catchUp{after: after, through: got, update: update}, nil
}
