package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// Problem is one thing that is not as it has to be.
type Problem struct {
	// Kind is one of the Problem… constants.
	Kind string `json:"kind"`
	// What says it in a sentence.
	What string `json:"what"`
	// Key and Seq say where, when that is known.
	Key string   `json:"key,omitempty"`
	Seq room.Seq `json:"seq,omitempty"`
}

// The kinds of problems.
const (
	ProblemSnapshot  = "snapshot"  // missing, damaged or not what the log says
	ProblemLog       = "log"       // an entry is missing or damaged
	ProblemArchive   = "archive"   // an archive is missing or damaged
	ProblemRecord    = "record"    // the room's record cannot be read, or contradicts what is stored
	ProblemOrphan    = "orphan"    // an object nothing refers to
	ProblemDirectory = "directory" // the directory's figures are not the truth
)

// Report is what Verify found.
type Report struct {
	Room     room.ID   `json:"room"`
	Seq      room.Seq  `json:"seq"`
	Problems []Problem `json:"problems"`
	// Checked is what was looked at, in the order of looking.
	Checked []string `json:"checked"`
}

// OK says that nothing was found.
func (r Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) doubt(kind, key string, seq room.Seq, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{Kind: kind, What: fmt.Sprintf(format, args...), Key: key, Seq: seq})
}

const (
	// verifyTries is how often a room with a doubt is looked at again: work under
	// way (a checkpoint between its object and its record, a change feed that has
	// not come by yet) looks like damage for a moment, and damage stays.
	verifyTries = 6
	// verifyPause is between two looks: together they outlast a checkpoint of a
	// large room.
	verifyPause = 500 * time.Millisecond
	// maxMoved bounds how often a look is repeated because the record changed
	// during it: it does a few times in 30 seconds.
	maxMoved = 100
)

// Verify implements Rooms.
func (d *Direct) Verify(ctx context.Context, id room.ID) (Report, error) {
	if err := id.Validate(); err != nil {
		return Report{}, err
	}
	var last Report
	moved := 0
	for try := 1; ; try++ {
		r, version, err := d.verifyOnce(ctx, id)
		if err != nil || r.OK() {
			return r, err
		}
		if now, err := d.service.Metas.Get(ctx, id); err == nil && now.Version != version && moved < maxMoved {
			moved++
			try--
			continue // a checkpoint came in between: what was read belongs to two moments
		}
		if try == verifyTries || !passing(r) && sameProblems(last, r) {
			return r, nil
		}
		last = r
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(d.pause):
		}
	}
}

// passing says whether all of a report may be over in a moment.
func passing(r Report) bool {
	for _, p := range r.Problems {
		if p.Kind != ProblemOrphan && p.Kind != ProblemDirectory {
			return false
		}
	}
	return true
}

// sameProblems says that two looks in a row have found the same.
func sameProblems(a, b Report) bool {
	if a.Room != b.Room || a.Seq != b.Seq || len(a.Problems) != len(b.Problems) {
		return false
	}
	for i := range a.Problems {
		if a.Problems[i] != b.Problems[i] {
			return false
		}
	}
	return true
}

// verifyOnce also returns the version of the record it has read. An error means
// that the store does not answer.
func (d *Direct) verifyOnce(ctx context.Context, id room.ID) (Report, uint64, error) {
	r := Report{Room: id, Problems: []Problem{}, Checked: []string{}}
	meta, err := d.service.Metas.Get(ctx, id)
	if isDamage(err) {
		r.doubt(ProblemRecord, "", 0, "the room's record cannot be read: %s", err)
		return r, 0, nil
	}
	if err != nil {
		return r, 0, err
	}
	v := verification{Direct: d, Report: &r, id: id, meta: meta}
	for _, step := range []func(context.Context) error{v.readArchives, v.readLog, v.readSnapshots, v.replay, v.searchOrphans, v.compareDirectory} {
		if err := step(ctx); err != nil {
			return r, 0, err
		}
	}
	if meta.Version == 0 && len(v.log) == 0 && len(v.archived) == 0 && r.OK() {
		return r, 0, fmt.Errorf("%w: %q", ErrNoRoom, id)
	}
	return r, meta.Version, nil
}

// isDamage says that an error is about what is stored, not about reaching it.
func isDamage(err error) bool {
	return errors.Is(err, room.ErrCorrupt) || errors.Is(err, room.ErrNotFound) || errors.Is(err, room.ErrTrimmed)
}

// verification is one look at a room.
type verification struct {
	*Direct
	*Report
	id       room.ID
	meta     room.Meta
	archived []room.Update // without a gap from the beginning of the room's life
	log      []room.Update
	snapshot []byte
}

// readArchives opens every archive and holds them to having no gap up to what
// was trimmed.
func (v *verification) readArchives(ctx context.Context) error {
	list, err := v.archives(ctx, v.id)
	if err != nil {
		return v.damage(err, ProblemArchive, "", "the archives cannot be listed")
	}
	next := state{meta: v.meta}.begins()
	for _, a := range list {
		entries, err := v.openArchive(ctx, a)
		if err != nil {
			if err := v.damage(err, ProblemArchive, a.Key, fmt.Sprintf("the archive of updates %d to %d", a.From, a.To)); err != nil {
				return err
			}
			continue
		}
		for _, u := range entries {
			if u.Seq < next {
				continue
			}
			if u.Seq > next && u.Seq <= v.meta.Trimmed+1 {
				v.doubt(ProblemArchive, a.Key, next, "updates %d to %d are neither in the log nor in the archive", next, u.Seq-1)
			}
			v.valid(ProblemArchive, u)
			v.archived = append(v.archived, u)
			next = u.Seq + 1
		}
	}
	if next <= v.meta.Trimmed {
		v.doubt(ProblemArchive, "", next, "updates %d to %d were trimmed from the log and are in no archive", next, v.meta.Trimmed)
	}
	v.Checked = append(v.Checked, count(len(list), "archive", "archives"))
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// damage notes an error about what is stored and passes any other on.
func (v *verification) damage(err error, kind, key, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, room.ErrNotFound):
		v.doubt(kind, key, 0, "%s is missing", what)
	case isDamage(err):
		v.doubt(kind, key, 0, "%s is damaged: %s", what, err)
	default:
		return err
	}
	return nil
}

func (v *verification) valid(kind string, u room.Update) {
	if err := yjs.Validate(u.Data); err != nil {
		v.doubt(kind, "", u.Seq, "update %d does not decode: %s", u.Seq, err)
	}
}

// readLog reads the log after what was trimmed. Where a checkpoint died between
// trimming and noting it, the archive has what the log lacks.
func (v *verification) readLog(ctx context.Context) error {
	log, err := v.entries(ctx, v.id, v.meta.Trimmed)
	if errors.Is(err, room.ErrTrimmed) && len(v.archived) > 0 {
		if last := v.archived[len(v.archived)-1].Seq; last > v.meta.Trimmed {
			log, err = v.entries(ctx, v.id, last)
		}
	}
	v.log = log
	next := v.meta.Trimmed + 1
	if len(log) > 0 {
		next = log[len(log)-1].Seq + 1
	}
	switch {
	case errors.Is(err, room.ErrTrimmed):
		v.doubt(ProblemLog, "", v.meta.Trimmed+1, "the log begins later than with update %d: what comes before is missing", v.meta.Trimmed+1)
	case isDamage(err):
		v.doubt(ProblemLog, "", next, "the log cannot be read from update %d on: %s", next, err)
	case err != nil:
		return err
	}
	for _, u := range log {
		v.valid(ProblemLog, u)
	}
	v.Seq = max(v.meta.Snapshot.Seq, next-1)
	if end := next - 1; err == nil && end < v.meta.Snapshot.Seq && v.meta.Trimmed < v.meta.Snapshot.Seq && v.meta.Snapshot.Key != "" {
		v.doubt(ProblemLog, "", next, "the log ends with update %d, before the snapshot's %d", end, v.meta.Snapshot.Seq)
	}
	v.Checked = append(v.Checked, count(len(log), "log entry", "log entries"))
	return nil
}

// readSnapshots reads the snapshot the record points to, and those it replaced
// and still has a use for.
func (v *verification) readSnapshots(ctx context.Context) error {
	if v.meta.Snapshot.Key == "" {
		return nil
	}
	data, err := v.service.Snapshots.Get(ctx, v.meta.Snapshot)
	if err != nil {
		return v.damage(err, ProblemSnapshot, v.meta.Snapshot.Key, fmt.Sprintf("the snapshot through update %d", v.meta.Snapshot.Seq))
	}
	if err := yjs.Validate(data); err != nil {
		v.doubt(ProblemSnapshot, v.meta.Snapshot.Key, v.meta.Snapshot.Seq, "the snapshot through update %d does not decode: %s", v.meta.Snapshot.Seq, err)
		return nil
	}
	v.snapshot = data
	v.Checked = append(v.Checked, fmt.Sprintf("snapshot through %d", v.meta.Snapshot.Seq))
	for _, old := range v.meta.Superseded {
		if old.Ref.Key == "" {
			continue
		}
		_, err := v.service.Snapshots.Get(ctx, old.Ref)
		if errors.Is(err, room.ErrNotFound) && v.service.Clock.Now().Sub(old.At) > room.MinGrace {
			continue // deleted, and not noted yet
		}
		if err := v.damage(err, ProblemSnapshot, old.Ref.Key, fmt.Sprintf("the replaced snapshot through update %d", old.Ref.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// replay holds the snapshot to being what its updates give when they are
// replayed from the beginning.
func (v *verification) replay(context.Context) error {
	if v.snapshot == nil {
		return nil
	}
	var parts [][]byte
	next := state{meta: v.meta}.begins()
	for _, u := range append(v.archived[:len(v.archived):len(v.archived)], v.log...) {
		if u.Seq == next && u.Seq <= v.meta.Snapshot.Seq {
			parts = append(parts, u.Data)
			next++
		}
	}
	if next <= v.meta.Snapshot.Seq {
		if v.OK() {
			v.doubt(ProblemLog, "", next, "update %d is neither in the log nor in the archive", next)
		}
		return nil // said already; a replay without it shows nothing
	}
	if err := yjs.VerifyCompaction(parts, v.snapshot); err != nil {
		v.doubt(ProblemSnapshot, v.meta.Snapshot.Key, v.meta.Snapshot.Seq, "the snapshot is not what %d updates give when they are replayed: %s", len(parts), err)
		return nil
	}
	v.Checked = append(v.Checked, "replay of "+count(len(parts), "update", "updates"))
	return nil
}

func (v *verification) searchOrphans(ctx context.Context) error {
	orphans, err := v.service.Orphans(ctx, v.id)
	if err != nil {
		return v.damage(err, ProblemOrphan, "", "the room's objects cannot be listed")
	}
	for _, o := range orphans {
		v.doubt(ProblemOrphan, o.Key, o.To, "nothing refers to the %s object %s (%d bytes, stored %s)", o.Kind, o.Key, o.Size, o.Stored.UTC().Format(time.DateTime))
	}
	return nil
}

// compareDirectory holds the directory to what is stored (P26). Its count of
// updates never goes down, so it knows of an entry that is missing at the end.
func (v *verification) compareDirectory(ctx context.Context) error {
	e, known, err := v.directory.Entry(ctx, v.id)
	if err != nil {
		return v.damage(err, ProblemDirectory, "", "the directory's entry")
	}
	if !known || !v.OK() {
		return nil
	}
	var log int64
	for _, u := range v.log {
		log += int64(len(u.Data))
	}
	if e.Updates > uint64(v.Seq) {
		v.doubt(ProblemLog, "", v.Seq+1, "the directory has seen %d updates and the log ends with %d: what comes after is missing", e.Updates, v.Seq)
	} else if e.Updates < uint64(v.Seq) {
		v.doubt(ProblemDirectory, "", 0, "the directory has seen %d updates, stored are %d", e.Updates, v.Seq)
	}
	if e.SnapshotBytes != v.meta.Snapshot.Size {
		v.doubt(ProblemDirectory, "", 0, "the directory says the snapshot has %d bytes, it has %d", e.SnapshotBytes, v.meta.Snapshot.Size)
	}
	if e.LogBytes != log {
		v.doubt(ProblemDirectory, "", 0, "the directory says the log has %d bytes, it has %d", e.LogBytes, log)
	}
	v.Checked = append(v.Checked, "directory")
	return nil
}
