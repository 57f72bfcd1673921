package probe

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/symphony-rt/symphony/internal/dashboard"
)

const (
	// maxLines bounds what is kept: about two megabytes.
	maxLines = 5000
	// maxLineText bounds one line: a panic brings its stack along.
	maxLineText = 8 << 10
)

// ring keeps the latest lines of the log.
type ring struct {
	mu    sync.Mutex
	lines []dashboard.LogLine
	level []slog.Level
	// next is the number of the next line.
	next uint64
}

func newRing() *ring { return &ring{} }

func (r *ring) add(l dashboard.LogLine, level slog.Level) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.ID = strconv.FormatUint(r.next, 10)
	if len(r.lines) < maxLines {
		r.lines, r.level = append(r.lines, l), append(r.level, level)
	} else {
		i := r.next % maxLines
		r.lines[i], r.level[i] = l, level
	}
	r.next++
}

// page returns the lines that q asks for: those after q.After, or the latest.
func (r *ring) page(q dashboard.LogQuery) (dashboard.LogPage, error) {
	least := slog.LevelDebug
	if q.Level != "" {
		if err := least.UnmarshalText([]byte(q.Level)); err != nil {
			return dashboard.LogPage{}, fmt.Errorf("%w: there is no level %q", dashboard.ErrQuery, q.Level)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.next - uint64(len(r.lines))
	from := first
	page := dashboard.LogPage{Lines: []dashboard.LogLine{}}
	if q.After != "" {
		after, err := strconv.ParseUint(q.After, 10, 64)
		if err != nil {
			return page, fmt.Errorf("%w: after is what next was", dashboard.ErrQuery)
		}
		if after > r.next { // of a process before
			page.Missed, after = true, first
		}
		page.Missed = page.Missed || after < first
		from = max(first, after)
	}
	text := strings.ToLower(q.Text)
	for n := r.next; n > from && len(page.Lines) < q.Limit; n-- {
		i := (n - 1) % maxLines
		l := r.lines[i]
		if r.level[i] >= least && (q.Function == "" || l.Function == q.Function) &&
			(text == "" || strings.Contains(strings.ToLower(l.Text+" "+l.Fields), text)) {
			page.Lines = append(page.Lines, l)
		}
	}
	slices.Reverse(page.Lines)
	page.Next = strconv.FormatUint(r.next, 10)
	return page, nil
}

// Log returns a handler that keeps what it is given, from level info on, and
// passes it on to next as far as next wants it.
func (p *Probe) Log(next slog.Handler) slog.Handler { return &logHandler{next: next, ring: p.logs} }

type logHandler struct {
	next   slog.Handler
	ring   *ring
	fields string
	// function is the one that the line is of, or the part of the stack.
	function, group string
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		l := dashboard.LogLine{At: r.Time.UTC(), Level: strings.ToLower(r.Level.String()), Text: cut(r.Message)}
		kept := *h
		r.Attrs(func(a slog.Attr) bool { kept.attr(a); return true })
		l.Fields, l.Function = cut(kept.fields), kept.function
		h.ring.add(l, r.Level)
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func cut(s string) string {
	if len(s) > maxLineText {
		return strings.ToValidUTF8(s[:maxLineText], "") + "…"
	}
	return s
}

// attr takes one attribute in. The function's name, and the part of the stack
// where there is none, stand apart.
func (h *logHandler) attr(a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		inner := *h
		if a.Key != "" {
			inner.group += a.Key + "."
		}
		for _, g := range v.Group() {
			inner.attr(g)
		}
		h.fields, h.function = inner.fields, inner.function
		return
	}
	switch {
	case a.Key == "":
		return
	case a.Key == "function" && h.group == "", a.Key == "part" && h.group == "":
		h.function = v.String()
		return
	}
	text := v.String()
	if strings.ContainsAny(text, " \t\n\"=") || text == "" {
		text = strconv.Quote(text)
	}
	if h.fields != "" {
		h.fields += " "
	}
	h.fields += h.group + a.Key + "=" + text
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		next.attr(a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.next = h.next.WithGroup(name)
	if name != "" {
		next.group += name + "."
	}
	return &next
}
