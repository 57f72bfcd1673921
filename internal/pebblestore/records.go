package pebblestore

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// The JSON records of rooms, members and objects. They are types of their own,
// so that renaming a field of the domain never changes what is on disk.

type snapshotRecord struct {
	Key    string `json:"key,omitempty"`
	Seq    uint64 `json:"seq,omitempty"`
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

func toSnapshotRecord(r room.SnapshotRef) snapshotRecord {
	rec := snapshotRecord{Key: r.Key, Seq: uint64(r.Seq), Size: r.Size}
	if r.SHA256 != [32]byte{} {
		rec.SHA256 = hex.EncodeToString(r.SHA256[:])
	}
	return rec
}

func (rec snapshotRecord) ref() (room.SnapshotRef, error) {
	r := room.SnapshotRef{Key: rec.Key, Seq: room.Seq(rec.Seq), Size: rec.Size}
	if rec.SHA256 == "" {
		return r, nil
	}
	sum, err := parseSum(rec.SHA256)
	r.SHA256 = sum
	return r, err
}

type supersededRecord struct {
	Ref snapshotRecord `json:"ref"`
	By  uint64         `json:"by"`
	At  time.Time      `json:"at"`
}

type metaRecord struct {
	Version        uint64             `json:"version"`
	Epoch          string             `json:"epoch"`
	Created        time.Time          `json:"created"`
	Snapshot       snapshotRecord     `json:"snapshot"`
	LastCheckpoint time.Time          `json:"lastCheckpoint"`
	Superseded     []supersededRecord `json:"superseded,omitempty"`
	Trimmed        uint64             `json:"trimmed,omitempty"`
	Erased         uint64             `json:"erased,omitempty"`
	State          uint8              `json:"state"`
	StateAt        time.Time          `json:"stateAt"`
	Denied         []string           `json:"denied,omitempty"`
}

func toMetaRecord(m room.Meta) metaRecord {
	rec := metaRecord{
		Version: m.Version, Epoch: m.Epoch, Created: m.Created.UTC(),
		Snapshot: toSnapshotRecord(m.Snapshot), LastCheckpoint: m.LastCheckpoint.UTC(),
		Trimmed: uint64(m.Trimmed), Erased: uint64(m.Erased), State: uint8(m.State), StateAt: m.StateAt.UTC(),
	}
	for _, s := range m.Superseded {
		rec.Superseded = append(rec.Superseded, supersededRecord{toSnapshotRecord(s.Ref), uint64(s.By), s.At.UTC()})
	}
	for user, denied := range m.Denied {
		if denied {
			rec.Denied = append(rec.Denied, user)
		}
	}
	slices.Sort(rec.Denied)
	return rec
}

func (rec metaRecord) meta() (room.Meta, error) {
	m := room.Meta{
		Version: rec.Version, Epoch: rec.Epoch, Created: rec.Created, LastCheckpoint: rec.LastCheckpoint,
		Trimmed: room.Seq(rec.Trimmed), Erased: room.Seq(rec.Erased), State: room.DirtyState(rec.State), StateAt: rec.StateAt,
	}
	var err error
	if m.Snapshot, err = rec.Snapshot.ref(); err != nil {
		return room.Meta{}, err
	}
	for _, s := range rec.Superseded {
		ref, err := s.Ref.ref()
		if err != nil {
			return room.Meta{}, err
		}
		m.Superseded = append(m.Superseded, room.Superseded{Ref: ref, By: room.Seq(s.By), At: s.At})
	}
	for _, user := range rec.Denied {
		if m.Denied == nil {
			m.Denied = make(map[string]bool, len(rec.Denied))
		}
		m.Denied[user] = true
	}
	return m, nil
}

type memberRecord struct {
	Connection  string    `json:"connection"`
	UserID      string    `json:"userId,omitempty"`
	UserName    string    `json:"userName,omitempty"`
	Access      string    `json:"access"`
	Client      uint64    `json:"client,omitempty"`
	Tabs        []uint64  `json:"tabs,omitempty"`
	Symphony    bool      `json:"symphony,omitempty"`
	ConnectedAt time.Time `json:"connectedAt"`
}

func toMemberRecord(m room.Member) memberRecord {
	return memberRecord{
		Connection: string(m.Connection), UserID: m.User.ID, UserName: m.User.Name, Access: string(m.Access),
		Client: m.Client, Tabs: m.Tabs, Symphony: m.Symphony, ConnectedAt: m.ConnectedAt.UTC(),
	}
}

func (rec memberRecord) member() room.Member {
	return room.Member{
		Connection: room.ConnectionID(rec.Connection), User: room.User{ID: rec.UserID, Name: rec.UserName},
		Access: room.Access(rec.Access), Client: rec.Client, Tabs: rec.Tabs, Symphony: rec.Symphony, ConnectedAt: rec.ConnectedAt,
	}
}

// headRecord describes a stored object; its bytes are in Parts parts under
// Generation (the hex SHA-256 of the whole, so that writing the same object
// again, or another under the same name, never mixes parts).
type headRecord struct {
	Size       int64     `json:"size"`
	Generation string    `json:"sha256"`
	Parts      int       `json:"parts"`
	Stored     time.Time `json:"stored"`
}

// offerRecord is what a client announced that it will upload.
type offerRecord struct {
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Offered time.Time `json:"offered"`
}
