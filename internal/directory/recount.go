package directory

import (
	"context"

	"github.com/symphony-rt/symphony/internal/room"
)

// Recount makes an entry from what is stored: for a process that starts, and
// to check the directory. Everything is exact but Bytes, of which only those
// the log still has and the snapshot's are known, and LastActive, which is that
// of the log's last entry and the present members.
func Recount(ctx context.Context, id room.ID, log room.Log, metas room.Metas, members room.Members) (Entry, error) {
	e := Entry{Room: id}
	m, err := metas.Get(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	if m.Version > 0 {
		e.meta(room.Images[room.Meta]{New: &m})
		e.LastActive = m.Created
	}
	err = log.Read(ctx, id, m.Trimmed, func(u room.Update) error {
		e.update(room.Images[room.UpdateImage]{New: &room.UpdateImage{Seq: u.Seq, Size: len(u.Data), At: u.At}})
		return nil
	})
	if err != nil {
		return Entry{}, err
	}
	e.Updates = max(e.Updates, uint64(m.Snapshot.Seq))
	if m.Trimmed > 0 {
		e.Bytes += m.Snapshot.Size
	}
	list, err := members.List(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	for _, member := range list {
		e.member(room.Images[room.Member]{New: &member}, member.ConnectedAt)
	}
	return e, nil
}
