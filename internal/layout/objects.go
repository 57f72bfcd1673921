package layout

import (
	"fmt"
	"strings"

	"github.com/symphony-rt/symphony/internal/room"
)

// RoomsFolder is the folder all rooms' objects are in.
const RoomsFolder = "rooms/"

// The folders of one room. Lifecycle rules and IAM policies name them.
const (
	snapshotsFolder = "snapshots/"
	logFolder       = "log/"
	uploadsFolder   = "uploads/"
	updatesFolder   = "updates/"
)

// RoomFolder is the prefix of all objects of the room and of no other room's.
func RoomFolder(id room.ID) string { return RoomsFolder + escape(string(id)) + "/" }

// SnapshotsFolder is the prefix of the room's snapshots: listed, they come in
// the order of the sequence numbers they cover.
func SnapshotsFolder(id room.ID) string { return RoomFolder(id) + snapshotsFolder }

// LogFolder is the prefix of the room's archived log.
func LogFolder(id room.ID) string { return RoomFolder(id) + logFolder }

// UploadsFolder is the prefix of what clients of the room have uploaded and
// not committed yet.
func UploadsFolder(id room.ID) string { return RoomFolder(id) + uploadsFolder }

// UpdatesFolder is the prefix of the room's log entries that are too large for
// a table item.
func UpdatesFolder(id room.ID) string { return RoomFolder(id) + updatesFolder }

// Folder is the prefix of the room's objects of one kind.
func Folder(id room.ID, kind room.ObjectKind) string {
	switch kind {
	case room.ObjectSnapshot:
		return SnapshotsFolder(id)
	case room.ObjectArchive:
		return LogFolder(id)
	case room.ObjectUpdate:
		return UpdatesFolder(id)
	default:
		return UploadsFolder(id)
	}
}

// SnapshotObject names the snapshot of the room after seq. nonce makes two
// checkpoints at the same seq use two objects: 1 to MaxNameBytes of
// [A-Za-z0-9_-], else ErrKey.
func SnapshotObject(id room.ID, seq room.Seq, nonce string) (string, error) {
	if err := checkName(nonce); err != nil {
		return "", err
	}
	return SnapshotsFolder(id) + formatSeq(seq) + "-" + nonce, nil
}

// LogObject names the archive of the log entries from..to, both included.
func LogObject(id room.ID, from, to room.Seq) string {
	return LogFolder(id) + formatSeq(from) + "-" + formatSeq(to)
}

// UploadObject names what a client uploads before it commits it. upload comes
// back from the client, so it is checked: ErrKey unless it is 1 to
// MaxNameBytes of [A-Za-z0-9_-].
func UploadObject(id room.ID, upload string) (string, error) {
	if err := checkName(upload); err != nil {
		return "", err
	}
	return UploadsFolder(id) + upload, nil
}

// UpdateObject names the bytes of a log entry too large for a table item. It
// is written before the entry has its sequence number, hence only a nonce:
// 1 to MaxNameBytes of [A-Za-z0-9_-], else ErrKey.
func UpdateObject(id room.ID, nonce string) (string, error) {
	if err := checkName(nonce); err != nil {
		return "", err
	}
	return UpdatesFolder(id) + nonce, nil
}

func checkName(s string) error {
	if s == "" || len(s) > MaxNameBytes {
		return fmt.Errorf("%w: a name of %d bytes, must be 1 to %d", ErrKey, len(s), MaxNameBytes)
	}
	for i := range len(s) {
		if !kept(s[i]) {
			return fmt.Errorf("%w: name %q", ErrKey, s)
		}
	}
	return nil
}

// Object is an S3 object name taken apart.
type Object struct {
	Kind room.ObjectKind
	Room room.ID
	// From and To are the range of a log archive; a snapshot covers To (and
	// From is 0).
	From, To room.Seq
	// Name is the nonce of a snapshot or update, the id of an upload.
	Name string
}

// ParseObject takes an object name apart. ErrKey when this package builds no
// such name.
func ParseObject(key string) (Object, error) {
	var o Object
	bad := fmt.Errorf("%w: object %q", ErrKey, key)
	rest, ok := strings.CutPrefix(key, RoomsFolder)
	if !ok {
		return Object{}, bad
	}
	enc, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return Object{}, bad
	}
	var err error
	if o.Room, err = UnescapeRoom(enc); err != nil {
		return Object{}, err
	}
	folder, name, ok := strings.Cut(rest, "/")
	if !ok {
		return Object{}, bad
	}
	switch folder + "/" {
	case snapshotsFolder:
		o.Kind = room.ObjectSnapshot
		seq, nonce, _ := strings.Cut(name, "-")
		o.Name = nonce
		if o.To, err = parseSeq(seq); err == nil {
			err = checkName(nonce)
		}
	case logFolder:
		o.Kind = room.ObjectArchive
		from, to, _ := strings.Cut(name, "-")
		if o.From, err = parseSeq(from); err == nil {
			o.To, err = parseSeq(to)
		}
	case uploadsFolder:
		o.Kind, o.Name, err = room.ObjectUpload, name, checkName(name)
	case updatesFolder:
		o.Kind, o.Name, err = room.ObjectUpdate, name, checkName(name)
	default:
		err = bad
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}
