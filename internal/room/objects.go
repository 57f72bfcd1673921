package room

import "time"

// ObjectKind says what an object of a room is.
type ObjectKind string

// The kinds of objects. A store has no objects of a kind it keeps elsewhere:
// the embedded ones keep every update in the log itself.
const (
	// ObjectSnapshot is a document as a checkpoint made it, or died over.
	ObjectSnapshot ObjectKind = "snapshot"
	// ObjectArchive is a stretch of log that was trimmed (see DecodeArchive).
	ObjectArchive ObjectKind = "archive"
	// ObjectUpdate is the bytes of a log entry too large for the log.
	ObjectUpdate ObjectKind = "update"
	// ObjectUpload is what a client has put to an offered URL.
	ObjectUpload ObjectKind = "upload"
)

// ObjectKinds are all kinds there are.
func ObjectKinds() []ObjectKind {
	return []ObjectKind{ObjectSnapshot, ObjectArchive, ObjectUpdate, ObjectUpload}
}

// Object is one object a store keeps of a room, whether anything refers to it
// or not.
type Object struct {
	Kind ObjectKind
	Key  string
	// From and To are the entries an archive holds, both included. A snapshot
	// covers To, and From is 0.
	From, To Seq
	Size     int64
	// Stored is when the object was put there, by the store's own clock.
	Stored time.Time
}

// Ref is what it takes to delete the object. It has no checksum: read the
// object with Snapshots.Open.
func (o Object) Ref() SnapshotRef { return SnapshotRef{Key: o.Key, Seq: o.To, Size: o.Size} }
