package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Every commit writes its number under commitsKey, and every now and then the
// last durable number goes into a file beside the store. A store that comes
// back with a lower number than the file has lost commits: a log or the end of
// the manifest is gone, which Pebble alone cannot know. The file is not synced:
// it may be behind, which only makes the check weaker, but never ahead.
const (
	witnessFile     = "commits"
	witnessInterval = time.Second
	witnessCommits  = 256
)

// witness counts commits. Only the committer uses it once the store is open.
type witness struct {
	folder *folder
	file   vfs.File
	number uint64 // of the last commit

	written uint64 // number last written to the file
	at      time.Time
}

// openWitness compares the store with the file. ErrDamaged when the store is
// behind.
func (s *Store) openWitness() error {
	w := &s.witness
	w.folder = s.folder
	value, err := s.get([]byte(commitsKey))
	if err != nil {
		return err
	}
	if value != nil {
		body, err := unseal([]byte(commitsKey), value)
		if err != nil || len(body) != 8 {
			return s.folder.damaged(fmt.Errorf("the number of commits is %q", value))
		}
		w.number = binary.BigEndian.Uint64(body)
	}
	seen, err := s.folder.readFile(witnessFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.folder.explain(err)
	}
	// What does not parse is what a crash left of a file that was not synced.
	if n, err := strconv.ParseUint(strings.TrimSpace(string(seen)), 10, 64); err == nil && n > w.number {
		return s.folder.damaged(fmt.Errorf("%d commits were acknowledged, %d are there", n, w.number))
	}
	return nil
}

// next adds the number of the next commit to its batch.
func (w *witness) next(batch *pebble.Batch) error {
	w.number++
	key := []byte(commitsKey)
	return batch.Set(key, seal(key, binary.BigEndian.AppendUint64(nil, w.number)), nil)
}

// durable notes that the last commit is durable. A failure to write the file
// costs nothing but the check.
func (w *witness) durable(now time.Time) {
	if age := now.Sub(w.at); w.number-w.written >= witnessCommits || age >= witnessInterval || age < 0 {
		w.at = now
		w.write()
	}
}

func (w *witness) write() {
	if w.number == w.written {
		return
	}
	if w.file == nil {
		file, err := w.folder.fs.OpenReadWrite(w.folder.path(witnessFile), vfs.WriteCategoryUnspecified)
		if err != nil {
			return
		}
		w.file = file
	}
	if _, err := w.file.WriteAt(fmt.Appendf(nil, "%020d\n", w.number), 0); err == nil {
		w.written = w.number
	}
}

// close writes the last number.
func (w *witness) close() error {
	w.write()
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}
