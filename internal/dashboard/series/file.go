package series

import (
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// fileVersion is of the file's form; another one is not read.
const fileVersion = 1

// maxFileBytes bounds what is read, unpacked: many times what a full file has.
const maxFileBytes = 64 << 20

// ErrFile: not a file of series that this version can read.
var ErrFile = errors.New("series: unreadable file")

// flat is a bucket in the file.
type flat struct {
	Key              string
	Number           int64
	Sum, Cover, Peak float64
	Counts           []uint32
}

// Save writes everything to path, as a whole or not at all.
func (s *Store) Save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("series: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("series: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it is gone when all went well
	if err := errors.Join(s.write(tmp), tmp.Close()); err != nil {
		return fmt.Errorf("series: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("series: %w", err)
	}
	return nil
}

type flatFile struct {
	Version int
	Rings   map[Window][]flat
}

func (s *Store) write(w io.Writer) error {
	file := flatFile{Version: fileVersion, Rings: map[Window][]flat{}}
	s.mu.Lock()
	for _, r := range s.rings {
		var all []flat
		for key, buckets := range r.buckets {
			for i, b := range buckets {
				if r.at[i] == math.MinInt64 || b.Cover == 0 {
					continue
				}
				f := flat{Key: key, Number: r.at[i], Sum: b.Sum, Cover: b.Cover, Peak: b.Peak}
				if b.Timing != nil {
					f.Counts = append(f.Counts, b.Timing.Counts[:]...)
				}
				all = append(all, f)
			}
		}
		file.Rings[r.shape.Window] = all
	}
	s.mu.Unlock()
	z := gzip.NewWriter(w)
	return errors.Join(gob.NewEncoder(z).Encode(file), z.Close())
}

// Load adds what Save wrote. A file that is not there is no error; one that
// cannot be read is ErrFile, and nothing of it is taken.
func (s *Store) Load(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("series: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	var file flatFile
	if err := gob.NewDecoder(io.LimitReader(z, maxFileBytes)).Decode(&file); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	if file.Version != fileVersion {
		return fmt.Errorf("%w: %s: version %d", ErrFile, path, file.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rings {
		for _, b := range file.Rings[r.shape.Window] {
			r.restore(b)
		}
	}
	return nil
}

// restore puts a bucket back; one of a metric that is no longer kept is let go.
func (r *ring) restore(f flat) {
	buckets, ok := r.buckets[f.Key]
	if !ok {
		return
	}
	i, ok := r.slot(f.Number)
	if !ok {
		return
	}
	b := &buckets[i]
	b.Sum, b.Cover, b.Peak = b.Sum+f.Sum, b.Cover+f.Cover, max(b.Peak, f.Peak)
	if len(f.Counts) == classes {
		h := &Histogram{}
		copy(h.Counts[:], f.Counts)
		if b.Timing == nil {
			b.Timing = h
		} else {
			b.Timing.Merge(h)
		}
	}
}
