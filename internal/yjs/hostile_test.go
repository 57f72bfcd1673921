package yjs

import (
	"bytes"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Bounds for one call on hostile input. hostileTime is a guard against hanging, not a measurement: how long the slowest
// call took is only printed, see hostileLog.
const (
	hostileMemory = 10 << 20
	hostileTime   = time.Minute
)

// entryPoint is a function that takes an update from outside.
type entryPoint struct {
	name string
	call func(update []byte) error
}

// entryPoints is every function that takes an update, each fed the input in every place that takes one.
var entryPoints = []entryPoint{
	{"Validate", Validate},
	{"ValidateV2", ValidateV2},
	{"ConvertV2", func(u []byte) error { _, err := ConvertV2(u); return err }},
	{"StateVector", func(u []byte) error { _, err := StateVector(u); return err }},
	{"DecodeStateVector", func(u []byte) error { _, err := DecodeStateVector(u); return err }},
	{"Merge", func(u []byte) error { _, err := Merge([]byte{0, 0}, u); return err }},
	{"Diff", func(u []byte) error { _, err := Diff(u, []byte{0}); return err }},
	{"Diff by", func(u []byte) error { _, err := Diff([]byte{0, 0}, u); return err }},
	{"Contains", func(u []byte) error { _, err := Contains(u, []byte{0, 0}); return err }},
	{"Contains in", func(u []byte) error { _, err := Contains([]byte{0, 0}, u); return err }},
	{"Intersects", func(u []byte) error { _, err := Intersects(u, []byte{0, 0}); return err }},
	{"IsEmpty", func(u []byte) error { _, err := IsEmpty(u); return err }},
	{"Compact", func(u []byte) error { _, err := Compact(u); return err }},
	{"Equal", func(u []byte) error { _, err := Equal(u, []byte{0, 0}); return err }},
	{"Equal to", func(u []byte) error { _, err := Equal([]byte{0, 0}, u); return err }},
	{"Stats", func(u []byte) error { _, err := Stats(u); return err }},
	{"Split", func(u []byte) error { _, err := Split(u, 64); return err }},
	{"VerifyCompaction", func(u []byte) error { return VerifyCompaction([][]byte{u}, []byte{0, 0}) }},
	{"DeleteAll", func(u []byte) error { _, err := DeleteAll(u); return err }},
	{"Doc.Apply", func(u []byte) error { return NewDoc().Apply(u) }},
	{"Doc.EncodeDiff by", func(u []byte) error { _, err := NewDoc().EncodeDiff(u); return err }},
	{"DecodeAwareness by", func(u []byte) error { _, err := DecodeAwareness(u); return err }},
	{"VerifyCompaction of", func(u []byte) error { return VerifyCompaction([][]byte{{0, 0}}, u) }},
}

// hostileLog remembers what took longest and most.
type hostileLog struct {
	calls            int
	time             time.Duration
	memory           uint64
	slowest, largest string
}

func (l *hostileLog) add(what string, took time.Duration, memory uint64) {
	l.calls++
	if took > l.time {
		l.time, l.slowest = took, what
	}
	if memory > l.memory {
		l.memory, l.largest = memory, what
	}
}

func (l *hostileLog) print(t *testing.T) {
	t.Logf("%d calls; the slowest took %v (%s); the largest allocated %d bytes (%s)", l.calls, l.time, l.slowest, l.memory, l.largest)
}

// bounded calls e, failing the test when it does not come back, and returns its error and the bytes it has allocated. The
// time it notes is the better of two calls.
func (e entryPoint) bounded(t *testing.T, update []byte, log *hostileLog) (allocated uint64, err error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan error, 1)
	took := time.Duration(0)
	go func() {
		start := time.Now()
		err := e.call(update)
		took = time.Since(start)
		done <- err
	}()
	select {
	case err := <-done:
		runtime.ReadMemStats(&after)
		start := time.Now()
		e.call(update)
		allocated := after.TotalAlloc - before.TotalAlloc
		log.add(e.name+" of "+t.Name(), min(took, time.Since(start)), allocated)
		return allocated, err
	case <-time.After(hostileTime):
		t.Fatalf("%s hangs on %.40x", e.name, update)
		return 0, nil
	}
}

func TestHostileInput(t *testing.T) {
	b64 := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	log := &hostileLog{}
	defer log.print(t)
	huge := "\xff\xff\xff\xff\xff\xff\xff\x0f" // 2^53 - 1
	long := func(head, body string, n int, tail string) []byte {
		return []byte(head + strings.Repeat(body, n) + tail)
	}
	for name, v := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":                  {nil, ErrTruncated},
		"loops elsewhere":          {b64("/////////38="), ErrNumber},
		"34 GB elsewhere":          {b64("AQEBAAMBAWH/////fwA="), ErrTruncated},
		"4.3 GB elsewhere":         {b64("AQEBAAgBAWEBdf///38A"), ErrTruncated},
		"clients":                  {[]byte(huge + "\x00"), ErrTruncated},
		"structs":                  {[]byte("\x01" + huge + "\x01\x00\x00"), ErrTruncated},
		"delete clients":           {[]byte("\x00" + huge), ErrTruncated},
		"delete ranges":            {[]byte("\x00\x01\x01" + huge), ErrTruncated},
		"text":                     {[]byte("\x01\x01\x01\x00\x04\x01\x01t" + huge + "a\x00"), ErrTruncated},
		"values":                   {[]byte("\x01\x01\x01\x00\x08\x01\x01t" + huge + "\x7e\x00"), ErrTruncated},
		"legacy values":            {[]byte("\x01\x01\x01\x00\x02\x01\x01t" + huge + "\x01\x31\x00"), ErrTruncated},
		"members":                  {[]byte("\x01\x01\x01\x00\x08\x01\x01t\x01\x76" + huge + "\x00"), ErrTruncated},
		"root name":                {[]byte("\x01\x01\x01\x00\x04\x01" + huge + "t\x01a\x00"), ErrTruncated},
		"key":                      {[]byte("\x01\x01\x01\x00\x24\x01\x01t" + huge + "k\x01a\x00"), ErrTruncated},
		"nested arrays":            {long("\x01\x01\x01\x00\x08\x01\x01t\x01", "\x75\x01", 4<<20, "\x7e\x00"), ErrDepth},
		"nested objects":           {long("\x01\x01\x01\x00\x08\x01\x01t\x01", "\x76\x01\x00", 3<<20, "\x7e\x00"), ErrDepth},
		"nested JSON":              {append(append([]byte("\x01\x01\x01\x00\x05\x01\x01t\x80\x80\x80\x04"), bytes.Repeat([]byte("["), 8<<20)...), 0), ErrDepth},
		"padded number":            {long("\x01\x01\x01\x00\x00", "\x80", 1<<20, "\x01\x00"), ErrNumber},
		"clock beyond":             {[]byte("\x01\x01\x01" + huge + "\x00\x01\x00"), ErrNumber},
		"delete beyond":            {[]byte("\x00\x01\x01\x01" + huge + "\x01"), ErrNumber},
		"lengths that add up":      {[]byte("\x01\x02\x01\x00\x00" + huge + "\x00\x01\x00"), ErrNumber},
		"GC of nothing":            {[]byte("\x01\x01\x01\x00\x00\x00\x00"), ErrEmptyStruct},
		"text of nothing":          {[]byte("\x01\x01\x01\x00\x04\x01\x01t\x00\x00"), ErrEmptyStruct},
		"values of nothing":        {[]byte("\x01\x01\x01\x00\x08\x01\x01t\x00\x00"), ErrEmptyStruct},
		"delete of nothing":        {[]byte("\x00\x01\x01\x01\x05\x00"), ErrEmptyStruct},
		"origin in itself":         {[]byte("\x01\x01\x01\x01\x84\x01\x01\x01a\x00"), ErrSelfReference},
		"parent in itself":         {[]byte("\x01\x01\x01\x01\x04\x00\x01\x05\x01a\x00"), ErrSelfReference},
		"a client twice":           {[]byte("\x02\x01\x01\x00\x00\x01\x01\x01\x05\x00\x01\x00"), ErrDuplicateClient},
		"a client twice, apart":    {[]byte("\x03\x01\x01\x00\x00\x01\x01\x02\x00\x00\x01\x01\x01\x05\x00\x01\x00"), ErrDuplicateClient},
		"trailing":                 {[]byte("\x00\x00\x00"), ErrTrailing},
		"unknown struct":           {[]byte("\x01\x01\x01\x00\x0b\x01\x01t\x00\x00"), ErrContent},
		"flagged skip":             {[]byte("\x01\x01\x01\x00\x8a\x01\x01t\x00\x00"), ErrContent},
		"unknown type":             {[]byte("\x01\x01\x01\x00\x07\x01\x01t\x07\x00"), ErrContent},
		"unknown value":            {[]byte("\x01\x01\x01\x00\x08\x01\x01t\x01\x73\x00"), ErrContent},
		"subdocument without opts": {[]byte("\x01\x01\x01\x00\x09\x01\x01t\x01g\x7e\x00"), ErrContent},
		"text that is no UTF-8":    {[]byte("\x01\x01\x01\x00\x04\x01\x01t\x01\xff\x00"), ErrUTF8},
		"surrogate in UTF-8":       {[]byte("\x01\x01\x01\x00\x04\x01\x01t\x03\xed\xa0\x80\x00"), ErrUTF8},
		"embed that is no JSON":    {[]byte("\x01\x01\x01\x00\x05\x01\x01t\x02{]\x00"), ErrJSON},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Validate(v.in); !errors.Is(err, v.want) {
				t.Errorf("Validate: %v, want %v", err, v.want)
			}
			for _, e := range entryPoints {
				allocated, err := e.bounded(t, v.in, log)
				if allocated > hostileMemory {
					t.Errorf("%s allocates %d bytes", e.name, allocated)
				}
				if strings.Contains(e.name, "V2") || strings.Contains(e.name, "StateVector") || strings.Contains(e.name, "by") {
					continue // takes another format
				}
				if !errors.Is(err, v.want) {
					t.Errorf("%s: %v, want %v", e.name, err, v.want)
				}
				var at *DecodeError
				if !errors.As(err, &at) || at.Offset < 0 || at.Offset > len(v.in) {
					t.Errorf("%s: %#v is no DecodeError within the input", e.name, err)
				}
			}
		})
	}
}

// v2Columns builds a v2 update from its columns, in their order, and the rest.
func v2Columns(columns [9]string, rest string) []byte {
	out := []byte{0}
	for _, c := range columns {
		out = appendVarBytes(out, []byte(c))
	}
	return append(out, rest...)
}

func TestHostileV2(t *testing.T) {
	log := &hostileLog{}
	defer log.print(t)
	huge := "\xff\xff\xff\xff\xff\xff\xff\x0f"
	forever := "\x40" + huge // a uintColumn of zeros: -0, and how often
	ones := "\x41" + huge
	for name, v := range map[string]struct {
		in   []byte
		want error
	}{
		"empty":            {v2Columns([9]string{5: "\x00"}, "\x00\x00"), nil},
		"no string column": {v2Columns([9]string{}, "\x00\x00"), ErrTruncated},
		"column too long":  {[]byte("\x00" + huge), ErrTruncated},
		// 2^53 GC structs of length one from runs that take a few bytes.
		"structs from nothing": {v2Columns([9]string{1: "\x01", 4: "\x00", 5: "\x00", 8: ones}, "\x01"+huge+"\x00\x00"), ErrTooLarge},
		// the same, of items without content that cannot be joined: each names its right neighbour.
		"items from nothing": {v2Columns([9]string{1: ones, 3: "\x03" + huge, 4: "\x41", 5: "\x00", 8: ones}, "\x01"+huge+"\x00\x00"), ErrSelfReference},
		"types from nothing": {v2Columns([9]string{1: ones, 4: "\x07", 5: "\x01t\x41" + huge, 6: "\x01", 7: forever}, "\x01"+huge+"\x00\x00"), ErrTruncated},
		"roots from nothing": {v2Columns([9]string{1: ones, 4: "\x07", 5: "\x00" + forever, 6: "\x01", 7: forever}, "\x01"+huge+"\x00\x00"), ErrTooLarge},
		"keys from nothing":  {v2Columns([9]string{0: "\x03" + huge, 1: ones, 4: "\x07", 5: "\x00" + forever, 6: "\x01", 7: "\x43" + huge}, "\x01"+huge+"\x00\x00"), ErrTooLarge},
		"values":             {v2Columns([9]string{1: "\x01", 4: "\x08", 5: "\x01t\x01", 6: "\x01", 8: "\xbf" + huge[1:]}, "\x01\x01\x00\x7e\x00"), ErrTruncated},
		"many values":        {v2Columns([9]string{1: "\x01", 4: "\x08", 5: "\x01t\x01", 6: "\x01", 8: "\xbf\xff\xff\x0f"}, "\x01\x01\x00\x7e\x00"), ErrTruncated},
		"deletes":            {v2Columns([9]string{5: "\x00"}, "\x00"+huge), ErrTruncated},
		"delete ranges":      {v2Columns([9]string{5: "\x00"}, "\x00\x01\x01"+huge), ErrTruncated},
		"delete beyond":      {v2Columns([9]string{5: "\x00"}, "\x00\x01\x01\x01"+huge+"\x01"), ErrNumber},
		"trailing":           {v2Columns([9]string{5: "\x00"}, "\x00\x00\x00"), ErrTrailing},
		"clock below zero":   {v2Columns([9]string{1: "\x01\x02", 2: "\x42", 4: "\x84", 5: "\x01a\x01"}, "\x01\x01\x00\x00"), ErrNumber},
		"embed undefined":    {v2Columns([9]string{1: "\x01", 4: "\x05", 5: "\x01t\x01", 6: "\x01"}, "\x01\x01\x00\x7f\x00"), ErrJSON},
		"embed big integer":  {v2Columns([9]string{1: "\x01", 4: "\x05", 5: "\x01t\x01", 6: "\x01"}, "\x01\x01\x00\x7a\x00\x00\x00\x00\x00\x00\x00\x01\x00"), ErrJSON},
		"nested embed":       {v2Columns([9]string{1: "\x01", 4: "\x05", 5: "\x01t\x01", 6: "\x01"}, "\x01\x01\x00"+strings.Repeat("\x75\x01", 4<<20)+"\x7e\x00"), ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range entryPoints[1:3] {
				allocated, err := e.bounded(t, v.in, log)
				if !errors.Is(err, v.want) {
					t.Errorf("%s: %v, want %v", e.name, err, v.want)
				}
				if allocated > hostileMemory {
					t.Errorf("%s allocates %d bytes", e.name, allocated)
				}
			}
		})
	}
}

// TestLimits: what a caller asks for counts.
func TestLimits(t *testing.T) {
	nested := []byte("\x01\x01\x01\x00\x08\x01\x01t\x01\x75\x01\x75\x01\x7e\x00")
	for _, v := range []struct {
		limits Limits
		want   error
	}{
		{Limits{}, nil},
		{Limits{MaxDepth: 2}, nil},
		{Limits{MaxDepth: 1}, ErrDepth},
		{Limits{MaxBytes: len(nested)}, nil},
		{Limits{MaxBytes: len(nested) - 1}, ErrTooLarge},
	} {
		if err := v.limits.Validate(nested); !errors.Is(err, v.want) {
			t.Errorf("%+v: %v, want %v", v.limits, err, v.want)
		}
	}
	v2 := v2Columns([9]string{5: "\x00"}, "\x00\x00")
	if _, err := (Limits{MaxBytes: len(v2) - 1}).ConvertV2(v2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ConvertV2: %v, want %v", err, ErrTooLarge)
	}
}
