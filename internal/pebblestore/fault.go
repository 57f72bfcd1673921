package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// fault is the failure after which the store does nothing more.
type fault struct {
	cause  atomic.Pointer[error]
	once   sync.Once
	raised chan struct{}
	logger *slog.Logger
}

func (f *fault) init(logger *slog.Logger) {
	f.raised = make(chan struct{})
	f.logger = logger
}

// raise stops the store; only the first cause counts.
func (f *fault) raise(cause error) {
	f.once.Do(func() {
		err := fmt.Errorf("the store has stopped; restart it once this is mended: %w", cause)
		f.cause.Store(&err)
		f.logger.Error("store stopped", "cause", cause)
		close(f.raised)
	})
}

// await returns true when done is closed, false when the store stops first.
func (f *fault) await(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-f.raised:
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

func (f *fault) get() error {
	if p := f.cause.Load(); p != nil {
		return *p
	}
	return nil
}

// pebbleLogger passes Pebble's log lines on. Pebble expects Fatalf not to
// return and a library must not end the process, so Fatalf stops the store and
// then holds the goroutine it was called on for ever (see guardedFS).
type pebbleLogger struct{ s *Store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.s.logger.Debug("pebble: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.logger.Warn("pebble: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.s.fault.raise(fatalError(format, args))
	select {}
}

// fatalError keeps the error among args, so that errors.Is still finds it.
func fatalError(format string, args []any) error {
	text := fmt.Sprintf(format, args...)
	for _, a := range args {
		if err, ok := a.(error); ok {
			return fmt.Errorf("%s (%w)", text, err)
		}
	}
	return errors.New(text)
}

// listener hears of damage found while reading or compacting. The call that
// met it gets room.ErrCorrupt; Pebble's default would be Fatalf.
func (s *Store) listener() *pebble.EventListener {
	return &pebble.EventListener{
		FlushEnd:      func(pebble.FlushInfo) { s.pace.flushed() },
		CompactionEnd: func(pebble.CompactionInfo) { s.pace.compacted() },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.logger.Error("damaged data", "path", info.Path, "details", info.Details)
		},
		BackgroundError: func(err error) {
			s.logger.Warn("pebble: background error", "err", err)
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			s.logger.Warn("slow disk", "path", info.Path, "duration", info.Duration)
		},
	}
}
