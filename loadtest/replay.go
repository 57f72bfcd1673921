package loadtest

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// recordingFile is a real editing session, made by targets/record.mjs with Yjs:
// somebody types, corrects and moves about in a text. Every transaction also
// sets a key of a map, its marker, so that one which only deletes is seen, too.
//
//go:embed testdata/session.json
var recordingFile []byte

// recording is a session of one author whose client id is Client.
type recording struct {
	Client uint64
	Edits  []recordedEdit
}

type recordedEdit struct {
	// After is the time since the edit before, in ms.
	After  int64
	Update string // base64
	raw    []byte
	clocks int // how many clocks it adds
}

func loadRecording() (*recording, error) {
	var r recording
	if err := json.Unmarshal(recordingFile, &r); err != nil {
		return nil, fmt.Errorf("loadtest: the recording: %w", err)
	}
	clock := uint64(0)
	for i := range r.Edits {
		e := &r.Edits[i]
		var err error
		if e.raw, err = base64.StdEncoding.DecodeString(e.Update); err != nil {
			return nil, fmt.Errorf("loadtest: the recording: edit %d: %w", i, err)
		}
		s, err := scan(e.raw)
		if err != nil || len(s) != 1 || s[0].client != r.Client || s[0].from != clock {
			return nil, fmt.Errorf("loadtest: the recording: edit %d is not the next of its author", i)
		}
		e.clocks = int(s[0].to - s[0].from)
		clock = s[0].to
	}
	return &r, nil
}

// by returns edit n as if client had made it. Both ids are five bytes long, and
// the recording's, whose bytes no other part of it has, is replaced.
func (r *recording) by(client uint64, n int) []byte {
	return bytes.ReplaceAll(r.Edits[n].raw, binary.AppendUvarint(nil, r.Client), binary.AppendUvarint(nil, client))
}

// after is the time from edit n-1 to edit n; false when there is none.
func (r *recording) after(n int) (time.Duration, bool) {
	if n >= len(r.Edits) {
		return 0, false
	}
	return time.Duration(r.Edits[n].After) * time.Millisecond, true
}

// pause is how far apart users begin.
func (r *recording) pause() time.Duration { return 5 * time.Second }

// replay sends the user's next edit of the recording.
func (u *user) replay(tape *recording, at time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil || u.taped >= len(tape.Edits) {
		return
	}
	n := u.taped
	u.taped++
	clock := u.room.write(u.member, tape.Edits[n].clocks, at)
	u.send(tape.by(u.client(), n), clock, at)
}
