package faultstore

import (
	"context"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

type log struct {
	i *Injector
	room.Log
}

func (p log) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (seq room.Seq, err error) {
	err = p.i.do(ctx, Call{Name: "Log.Append", Room: id}, func() (err error) {
		seq, err = p.Log.Append(ctx, id, floor, u)
		return err
	})
	if err != nil {
		seq = 0
	}
	return seq, err
}

func (p log) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	// Failing after the effect: fn has had every entry, and then the error.
	return p.i.do(ctx, Call{Name: "Log.Read", Room: id}, func() error { return p.Log.Read(ctx, id, after, fn) })
}

func (p log) Tail(ctx context.Context, id room.ID, floor room.Seq) (seq room.Seq, err error) {
	err = p.i.do(ctx, Call{Name: "Log.Tail", Room: id}, func() (err error) {
		seq, err = p.Log.Tail(ctx, id, floor)
		return err
	})
	if err != nil {
		seq = 0
	}
	return seq, err
}

func (p log) Trim(ctx context.Context, id room.ID, through room.Seq) error {
	return p.i.do(ctx, Call{Name: "Log.Trim", Room: id}, func() error { return p.Log.Trim(ctx, id, through) })
}

func (p log) Large(ctx context.Context, id room.ID, fn func(string) error) error {
	return p.i.do(ctx, Call{Name: "Log.Large", Room: id}, func() error { return p.Log.Large(ctx, id, fn) })
}

type metas struct {
	i *Injector
	room.Metas
}

func (p metas) Get(ctx context.Context, id room.ID) (m room.Meta, err error) {
	err = p.i.do(ctx, Call{Name: "Metas.Get", Room: id}, func() (err error) {
		m, err = p.Metas.Get(ctx, id)
		return err
	})
	if err != nil {
		m = room.Meta{}
	}
	return m, err
}

func (p metas) Swap(ctx context.Context, id room.ID, m room.Meta) error {
	return p.i.do(ctx, Call{Name: "Metas.Swap", Room: id}, func() error { return p.Metas.Swap(ctx, id, m) })
}

func (p metas) Unclean(ctx context.Context, fn func(room.ID) error) error {
	return p.i.do(ctx, Call{Name: "Metas.Unclean"}, func() error { return p.Metas.Unclean(ctx, fn) })
}

type members struct {
	i *Injector
	room.Members
}

func (p members) Add(ctx context.Context, id room.ID, m room.Member) error {
	return p.i.do(ctx, Call{Name: "Members.Add", Room: id, To: []room.ConnectionID{m.Connection}}, func() error { return p.Members.Add(ctx, id, m) })
}

func (p members) Update(ctx context.Context, id room.ID, m room.Member) error {
	return p.i.do(ctx, Call{Name: "Members.Update", Room: id, To: []room.ConnectionID{m.Connection}}, func() error { return p.Members.Update(ctx, id, m) })
}

func (p members) Remove(ctx context.Context, id room.ID, conn room.ConnectionID) (a room.Admission, err error) {
	err = p.i.do(ctx, Call{Name: "Members.Remove", Room: id, To: []room.ConnectionID{conn}}, func() (err error) {
		a, err = p.Members.Remove(ctx, id, conn)
		return err
	})
	if err != nil {
		a = room.Admission{}
	}
	return a, err
}

func (p members) List(ctx context.Context, id room.ID) (list []room.Member, err error) {
	err = p.i.do(ctx, Call{Name: "Members.List", Room: id}, func() (err error) {
		list, err = p.Members.List(ctx, id)
		return err
	})
	if err != nil {
		list = nil
	}
	return list, err
}

func (p members) Admit(ctx context.Context, id room.ID, conn room.ConnectionID) (a room.Admission, err error) {
	err = p.i.do(ctx, Call{Name: "Members.Admit", Room: id, To: []room.ConnectionID{conn}}, func() (err error) {
		a, err = p.Members.Admit(ctx, id, conn)
		return err
	})
	if err != nil {
		a = room.Admission{}
	}
	return a, err
}

type snapshots struct {
	i *Injector
	room.Snapshots
}

func (p snapshots) Put(ctx context.Context, id room.ID, seq room.Seq, nonce string, data []byte) (ref room.SnapshotRef, err error) {
	err = p.i.do(ctx, Call{Name: "Snapshots.Put", Room: id}, func() (err error) {
		ref, err = p.Snapshots.Put(ctx, id, seq, nonce, data)
		return err
	})
	if err != nil {
		ref = room.SnapshotRef{}
	}
	return ref, err
}

func (p snapshots) Get(ctx context.Context, ref room.SnapshotRef) (data []byte, err error) {
	err = p.i.do(ctx, Call{Name: "Snapshots.Get"}, func() (err error) {
		data, err = p.Snapshots.Get(ctx, ref)
		return err
	})
	if err != nil {
		data = nil
	}
	return data, err
}

func (p snapshots) Delete(ctx context.Context, ref room.SnapshotRef) error {
	return p.i.do(ctx, Call{Name: "Snapshots.Delete"}, func() error { return p.Snapshots.Delete(ctx, ref) })
}

func (p snapshots) List(ctx context.Context, id room.ID, kind room.ObjectKind, fn func(room.Object) error) error {
	return p.i.do(ctx, Call{Name: "Snapshots.List", Room: id}, func() error { return p.Snapshots.List(ctx, id, kind, fn) })
}

func (p snapshots) Open(ctx context.Context, key string) (data []byte, err error) {
	err = p.i.do(ctx, Call{Name: "Snapshots.Open"}, func() (err error) {
		data, err = p.Snapshots.Open(ctx, key)
		return err
	})
	if err != nil {
		data = nil
	}
	return data, err
}

func (p snapshots) Archive(ctx context.Context, id room.ID, from, to room.Seq, data []byte) (ref room.SnapshotRef, err error) {
	err = p.i.do(ctx, Call{Name: "Snapshots.Archive", Room: id}, func() (err error) {
		ref, err = p.Snapshots.Archive(ctx, id, from, to, data)
		return err
	})
	if err != nil {
		ref = room.SnapshotRef{}
	}
	return ref, err
}

type uploads struct {
	i *Injector
	room.Uploads
}

func (p uploads) Offer(ctx context.Context, u room.Upload) (t room.UploadTarget, err error) {
	err = p.i.do(ctx, Call{Name: "Uploads.Offer", Room: u.Room}, func() (err error) {
		t, err = p.Uploads.Offer(ctx, u)
		return err
	})
	if err != nil {
		t = room.UploadTarget{}
	}
	return t, err
}

func (p uploads) Fetch(ctx context.Context, id room.ID, upload string) (data []byte, err error) {
	err = p.i.do(ctx, Call{Name: "Uploads.Fetch", Room: id}, func() (err error) {
		data, err = p.Uploads.Fetch(ctx, id, upload)
		return err
	})
	if err != nil {
		data = nil
	}
	return data, err
}

func (p uploads) Link(ctx context.Context, id room.ID, upload string) (url string, err error) {
	err = p.i.do(ctx, Call{Name: "Uploads.Link", Room: id}, func() (err error) {
		url, err = p.Uploads.Link(ctx, id, upload)
		return err
	})
	if err != nil {
		url = ""
	}
	return url, err
}

func (p uploads) Discard(ctx context.Context, id room.ID, upload string) error {
	return p.i.do(ctx, Call{Name: "Uploads.Discard", Room: id}, func() error { return p.Uploads.Discard(ctx, id, upload) })
}

type links struct {
	i *Injector
	room.Links
}

func (p links) LinkSnapshot(ctx context.Context, ref room.SnapshotRef, life time.Duration) (url string, err error) {
	err = p.i.do(ctx, Call{Name: "Links.LinkSnapshot"}, func() (err error) {
		url, err = p.Links.LinkSnapshot(ctx, ref, life)
		return err
	})
	if err != nil {
		url = ""
	}
	return url, err
}

type sender struct {
	i *Injector
	room.Sender
}

// Post fails for every receiver when it is made to fail.
func (p sender) Post(ctx context.Context, to []room.ConnectionID, frame []byte) (failures []room.Failure) {
	err := p.i.do(ctx, Call{Name: "Sender.Post", To: to}, func() error {
		failures = p.Sender.Post(ctx, to, frame)
		return nil
	})
	if err == nil {
		return failures
	}
	failures = nil
	for _, conn := range to {
		failures = append(failures, room.Failure{Connection: conn, Err: err})
	}
	return failures
}

func (p sender) Disconnect(ctx context.Context, conn room.ConnectionID) error {
	return p.i.do(ctx, Call{Name: "Sender.Disconnect", To: []room.ConnectionID{conn}}, func() error {
		return p.Sender.Disconnect(ctx, conn)
	})
}

type fanout struct {
	i *Injector
	room.Fanout
}

// Dispatch fails for all deliveries or for none.
func (p fanout) Dispatch(ctx context.Context, deliveries []room.Delivery) (errs []error) {
	err := p.i.do(ctx, Call{Name: "Fanout.Dispatch", Room: deliveries[0].Room}, func() error {
		errs = p.Fanout.Dispatch(ctx, deliveries)
		return nil
	})
	if err != nil {
		errs = make([]error, len(deliveries))
		for n := range errs {
			errs[n] = err
		}
	}
	return errs
}
