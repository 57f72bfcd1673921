package lambdaruntime

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// maxLineBytes is where a line of output is cut: CloudWatch's limit for a log
// event is 256 KB, nobody reads that much in a terminal.
const maxLineBytes = 64 << 10

// lines returns a writer that logs what an instance writes, line by line.
func (f *function) lines(instance int, stream string) *lineLogger {
	return &lineLogger{log: f.rt.opts.Logger.With("function", f.name, "instance", instance, "stream", stream)}
}

type lineLogger struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// Write implements io.Writer; it takes everything.
func (l *lineLogger) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		b = rest
		room := maxLineBytes - len(l.rest)
		l.rest = append(l.rest, line[:min(room, len(line))]...)
		if ended {
			l.emit()
		}
	}
	return n, nil
}

func (l *lineLogger) emit() {
	if line := bytes.TrimRight(l.rest, "\r"); len(line) > 0 {
		l.log.Log(context.Background(), slog.LevelInfo, string(line))
	}
	l.rest = l.rest[:0]
}

// flush logs a last line without an end.
func (l *lineLogger) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit()
}
