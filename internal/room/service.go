package room

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Ports is what a Service works with. All but Uploads, Links and
// Fanout are needed.
type Ports struct {
	Log       Log
	Metas     Metas
	Members   Members
	Snapshots Snapshots
	Sender    Sender
	Clock     Clock
	// Uploads is nil in a deployment that takes no updates larger than a
	// message.
	Uploads Uploads
	// Links is nil in a deployment that sends snapshots of any size in pieces.
	Links Links
	// Fanout is nil in a deployment without a second level: then a message's own
	// function posts to all members.
	Fanout Fanout
}

// Options are the choices of a deployment; the zero value is good.
type Options struct {
	// Grace is how long replaced snapshots and covered log entries stay:
	// DefaultGrace when 0, at least MinGrace.
	Grace time.Duration
	// Random is where epochs, nonces and upload ids come from: crypto/rand when
	// nil. It must be safe for concurrent use.
	Random io.Reader
	// Logger gets what no caller is told: posts that failed, members removed.
	// nil discards it.
	Logger *slog.Logger
	// SweepConcurrency is how many rooms Sweep checkpoints at a time,
	// DefaultSweepConcurrency when 0.
	SweepConcurrency int
	// SweepCPUs is how many of those merge and prove at the same time, which keeps
	// a CPU busy; as many as there are when 0.
	SweepCPUs int
	// SweepSpread is over how long at most Sweep spreads the rooms' beginnings, so
	// that those who edit meanwhile hardly notice it; 0 for as fast as it can be,
	// which is right where a function's time is billed.
	SweepSpread time.Duration
}

// Service is the domain's behaviour. It keeps nothing between calls: any
// number of instances, in any number of processes, may work on the same rooms.
//
// The order of operations is what the guarantees of docs/ARCHITECTURE.md rest
// on; it is argued in edit.go (1 and 2), receive.go (8), load.go (5),
// checkpoint.go and retire.go (6).
type Service struct {
	Ports
	grace       time.Duration
	random      io.Reader
	logger      *slog.Logger
	concurrency int
	sweepSpread time.Duration
	// thinking, unless nil, holds one token for each pass that merges or proves.
	thinking chan struct{}
}

// NewService returns the Service on ports.
func NewService(p Ports, o Options) (*Service, error) {
	if p.Log == nil || p.Metas == nil || p.Members == nil || p.Snapshots == nil || p.Sender == nil || p.Clock == nil {
		return nil, errors.New("room: a port is missing")
	}
	s := &Service{Ports: p, grace: o.Grace, random: o.Random, logger: o.Logger, concurrency: o.SweepConcurrency, sweepSpread: o.SweepSpread}
	if o.SweepCPUs > 0 {
		s.thinking = make(chan struct{}, o.SweepCPUs)
	}
	if s.grace == 0 {
		s.grace = DefaultGrace
	}
	if s.grace < MinGrace {
		return nil, fmt.Errorf("room: a grace of %s, must be at least %s", s.grace, MinGrace)
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.concurrency <= 0 {
		s.concurrency = DefaultSweepConcurrency
	}
	return s, nil
}

// idBytes makes ids that nobody guesses: 128 random bits.
const idBytes = 16

// newID returns a random name of 32 characters of [0-9a-f].
func (s *Service) newID() (string, error) {
	var b [idBytes]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fmt.Errorf("%w: no randomness: %w", ErrUnavailable, err)
	}
	return hex.EncodeToString(b[:]), nil
}

// pickAt returns a number below n, for spreading load; bias does not matter.
func (s *Service) pickAt(n int) int {
	var b [4]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil || n <= 1 {
		return 0
	}
	return int((uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) % uint32(n))
}
