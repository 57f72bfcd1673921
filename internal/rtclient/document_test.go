package rtclient_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// document is a Yjs document as its merged updates.
type document struct {
	t      *testing.T
	state  []byte
	refuse bool
}

func (d *document) Apply(update []byte) (err error) {
	if d.refuse {
		return errDocument
	}
	d.state, err = yjs.Merge(d.state, update)
	return err
}

func (d *document) StateVector() []byte {
	v, err := yjs.StateVector(d.state)
	require.NoError(d.t, err)
	return v
}

func (d *document) Diff(vector []byte) ([]byte, error) { return yjs.Diff(d.state, vector) }

func unbase64(t *testing.T, s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

// Two updates of real Yjs: client 1 writes "ab"; client 1's first character is
// deleted (case B1 of the engine's tests).
const (
	inserted = "AQEBAAQBAXQCYWIA"
	deleted  = "AAEBAQAB"
)

func newDocument(t *testing.T, updates ...string) *document {
	d := &document{t: t, state: []byte{0, 0}}
	for _, u := range updates {
		require.NoError(t, d.Apply(unbase64(t, u)))
	}
	return d
}

func vectorOf(t *testing.T, update []byte) []byte {
	v, err := yjs.StateVector(update)
	require.NoError(t, err)
	return v
}

// The welcome's state vector: what the server lacks is submitted, once.
func TestSubmitsWhatTheServerLacks(t *testing.T) {
	welcome := func(update []byte, server []byte) *protocol.Welcome {
		return &protocol.Welcome{Version: 1, Epoch: "e", Through: 1, Access: protocol.AccessWrite, StateVector: vectorOf(t, server), Update: update}
	}
	empty, insertion := []byte{0, 0}, unbase64(t, inserted)
	both, err := yjs.Merge(insertion, unbase64(t, deleted))
	require.NoError(t, err)
	for name, test := range map[string]struct {
		welcome *protocol.Welcome
		want    []byte
	}{
		"the server has nothing":      {welcome(nil, empty), both},
		"it lacks the deletion":       {welcome(empty, insertion), unbase64(t, deleted)},
		"it has everything":           {welcome(unbase64(t, deleted), insertion), nil},
		"resumed: nothing to compare": {&protocol.Welcome{Version: 1, Epoch: "e", Through: 1, Access: protocol.AccessWrite}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				d := newDocument(t, inserted, deleted)
				c, _ := s.connect(rtclient.Options{Document: d})
				p := s.accept()
				require.Equal(t, d.StateVector(), next[*protocol.Hello](p).StateVector)
				p.send(test.welcome)
				if test.want == nil {
					p.nothing()
					return
				}
				got := next[*protocol.Submit](p)
				same, err := yjs.Equal(test.want, got.Update)
				require.NoError(t, err)
				require.True(t, same, "%v, not %v", got.Update, test.want)

				// Not acknowledged, and the server still lacks it: the pending
				// submit is sent again, and no second one beside it.
				require.NoError(t, p.conn.CloseNow())
				time.Sleep(protocol.BackoffBase)
				p = s.accept()
				next[*protocol.Hello](p)
				p.send(test.welcome)
				require.Equal(t, got, next[*protocol.Submit](p))
				p.nothing()
				require.Equal(t, 1, c.Pending())
			})
		})
	}
}

// The deletions may come in pieces of the catch-up before the welcome.
func TestCatchUpInPiecesCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.connect(rtclient.Options{Document: newDocument(t, inserted, deleted)})
		p := s.accept()
		next[*protocol.Hello](p)
		p.send(&protocol.Range{Through: 4, More: true, Update: unbase64(t, deleted)},
			&protocol.Welcome{Version: 1, Epoch: "e", Through: 4, Access: protocol.AccessWrite, StateVector: vectorOf(t, unbase64(t, inserted))})
		p.nothing()
	})
}

// An update the document refuses ends the client: it could not go on truly.
func TestDocumentRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		d := newDocument(t)
		c, _ := s.connect(rtclient.Options{Document: d})
		p := s.accept()
		p.welcome(0)
		d.refuse = true
		p.send(&protocol.Broadcast{Seq: 1, Update: unbase64(t, inserted)})
		<-c.Done()
		require.ErrorIs(t, c.Err(), rtclient.ErrDocument)
		require.ErrorIs(t, c.Err(), errDocument)
		require.Zero(t, c.LastSeq())
	})
}

// A plain session: step 1 both ways, updates, awareness as the keep-alive.
func TestPlainSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		d := newDocument(t, inserted)
		c, events := s.connect(rtclient.Options{Mode: rtclient.Plain, Document: d})
		p := s.accept()
		require.Equal(t, d.StateVector(), next[*protocol.SyncStep1](p).StateVector)
		p.send(&protocol.SyncStep1{StateVector: []byte{0}})
		require.Equal(t, unbase64(t, inserted), next[*protocol.SyncStep2](p).Update)
		require.False(t, c.Synced())
		p.send(&protocol.SyncUpdate{Update: unbase64(t, deleted)}, &protocol.SyncStep2{Update: []byte{0, 0}})
		require.True(t, c.Synced())
		require.Len(t, events.take(), 1)
		id, err := c.Submit(unbase64(t, deleted))
		require.NoError(t, err)
		require.Zero(t, id)
		next[*protocol.SyncUpdate](p)

		time.Sleep(protocol.KeepAlive)
		require.Equal(t, []byte{0}, next[*protocol.Awareness](p).Update, "no presence yet: an update of nobody")
		p.send(&protocol.Awareness{Update: []byte{0}})
		require.NoError(t, c.SetAwareness([]byte{1, 1, 0, 2, '{', '}'}))
		next[*protocol.Awareness](p)
		time.Sleep(protocol.KeepAlive)
		require.Equal(t, []byte{1, 1, 0, 2, '{', '}'}, next[*protocol.Awareness](p).Update)
		p.send(&protocol.Awareness{Update: []byte{0}})

		require.NoError(t, p.conn.CloseNow())
		synctest.Wait()
		require.False(t, c.Synced())
		_, err = c.Submit([]byte{0, 0})
		require.ErrorIs(t, err, rtclient.ErrNotConnected)
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		next[*protocol.SyncStep1](p)
		next[*protocol.Awareness](p)
		p.send(&protocol.SyncStep1{StateVector: vectorOf(t, unbase64(t, inserted))})
		same, err := yjs.Equal(unbase64(t, deleted), next[*protocol.SyncStep2](p).Update)
		require.NoError(t, err)
		require.True(t, same)
	})
}

// A connection that was cut is none for who writes to it, whether the client's
// reader has noticed or, as here where it is in a callback, cannot have.
func TestPlainCutUnnoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var c *rtclient.Client
		var errs []error
		c, _ = s.connect(rtclient.Options{Mode: rtclient.Plain, Document: newDocument(t), Events: rtclient.Events{
			OnUpdate: func(uint64, []byte) {
				c.Drop()
				_, err := c.Submit([]byte{0, 0})
				errs = append(errs, err, c.QueryAwareness())
			},
		}})
		p := s.accept()
		next[*protocol.SyncStep1](p)
		p.send(&protocol.SyncStep1{StateVector: []byte{0}})
		next[*protocol.SyncStep2](p)
		p.send(&protocol.SyncUpdate{Update: unbase64(t, inserted)})
		synctest.Wait()
		require.Len(t, errs, 2)
		for _, err := range errs {
			require.ErrorIs(t, err, rtclient.ErrNotConnected)
		}
	})
}

// A plain client's answer larger than a message goes in pieces, step 2 last.
func TestPlainAnswerInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		d := newDocument(t)
		for client := range uint64(40) { // 40 texts of 1,000 characters
			update := []byte{1, 1, byte(client + 1), 0, 4, 1, 1, 't', 0xe8, 7}
			for range 1000 {
				update = append(update, 'x')
			}
			require.NoError(t, d.Apply(append(update, 0)))
		}
		c, _ := s.connect(rtclient.Options{Mode: rtclient.Plain, Document: d})
		p := s.accept()
		next[*protocol.SyncStep1](p)
		p.send(&protocol.SyncStep1{StateVector: []byte{0}})
		got := []byte{0, 0}
		var err error
		sent := p.drain()
		require.Greater(t, len(sent), 1)
		require.IsType(t, &protocol.SyncStep2{}, sent[len(sent)-1])
		for _, m := range sent {
			require.LessOrEqual(t, protocol.Size(m), protocol.MaxClientMessage)
			switch m := m.(type) {
			case *protocol.SyncUpdate:
				got, err = yjs.Merge(got, m.Update)
			case *protocol.SyncStep2:
				got, err = yjs.Merge(got, m.Update)
				same, equalErr := yjs.Equal(d.state, got)
				require.NoError(t, equalErr)
				require.True(t, same)
			}
			require.NoError(t, err)
		}
		require.ErrorIs(t, c.Send(&protocol.SyncUpdate{Update: d.state}), rtclient.ErrTooLarge)
	})
}

// files is an object store: PUT, GET, and failures on demand.
type files struct {
	t       *testing.T
	objects map[string][]byte
	fail    int
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.fail > 0 {
		f.fail--
		w.WriteHeader(500)
		return
	}
	switch r.Method {
	case http.MethodPut:
		require.Equal(f.t, "yes", r.Header.Get("X-Signed"))
		data, err := io.ReadAll(r.Body)
		require.NoError(f.t, err)
		f.objects[r.URL.Path] = data
	case http.MethodGet:
		data, ok := f.objects[r.URL.Path]
		if !ok {
			w.WriteHeader(404)
			return
		}
		_, _ = w.Write(data)
	}
}

// N6: an update over the limit is uploaded and committed, and counts as one.
func TestUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		store := &files{t: t, objects: map[string][]byte{}, fail: 1}
		s.files = store
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		large := make([]byte, protocol.MaxClientMessage)
		large[5] = 5
		_, err := c.Submit(large)
		require.NoError(t, err)
		r := next[*protocol.UploadRequest](p)
		require.Equal(t, &protocol.UploadRequest{ID: 1, Size: uint64(len(large)), SHA256: sha256.Sum256(large)}, r)
		offer := &protocol.UploadOffer{ID: 1, Upload: "u1", URL: "http://store/u1", Headers: []protocol.UploadHeader{{Name: "X-Signed", Value: "yes"}}}
		p.send(offer, offer)
		require.Equal(t, &protocol.UploadCommit{ID: 1, Upload: "u1"}, next[*protocol.UploadCommit](p))
		require.Equal(t, large, store.objects["/u1"])

		// The commit is lost with the connection: committed again.
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		p.welcome(0)
		next[*protocol.UploadCommit](p)
		// The server no longer knows the upload: all over again; the store is down at first.
		p.send(&protocol.Error{Code: protocol.CodeUnavailable, ID: 1, RetryMS: 100})
		time.Sleep(time.Second)
		next[*protocol.UploadRequest](p)
		store.fail = 3
		p.send(offer)
		p.nothing()
		time.Sleep(3 * time.Second)
		next[*protocol.UploadRequest](p)
		p.send(offer)
		next[*protocol.UploadCommit](p)
		_ = events.take()
		p.send(&protocol.Ack{ID: 1, Seq: 1})
		require.Equal(t, []string{"ack 1 as 1"}, events.take())
		require.Zero(t, c.Pending())
	})
}

// Updates and snapshots by URL count once they are here, and only if they are
// the bytes that were announced.
func TestDownloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		store := &files{t: t, objects: map[string][]byte{"/snap": {1, 1}, "/big": {2, 2}}, fail: 2}
		s.files = store
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		next[*protocol.Hello](p)
		snapshot := &protocol.SnapshotByURL{Seq: 5, Size: 2, SHA256: sha256.Sum256([]byte{1, 1}), URL: "http://store/snap"}
		p.send(snapshot)
		p.send(&protocol.Welcome{Version: 1, Epoch: "e1", Through: 7, Access: protocol.AccessWrite, Update: []byte{7}})
		require.ElementsMatch(t, []string{"update 5 [1 1]", "update 7 [7]", "welcome e1 through 7"}, events.take())
		require.EqualValues(t, 7, c.LastSeq())
		require.True(t, c.Synced())

		big := &protocol.BroadcastByURL{Seq: 8, Size: 2, SHA256: sha256.Sum256([]byte{2, 2}), URL: "http://store/big"}
		p.send(big)
		p.send(big)
		require.Equal(t, []string{"update 8 [2 2]"}, events.take())
		require.EqualValues(t, 8, c.LastSeq())

		// Other bytes than announced: refused, and the connection starts over
		// from what is certain.
		store.objects["/big"] = []byte{2, 3}
		big.Seq = 9
		p.send(big)
		require.Equal(t, []string{"disconnected"}, events.take())
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		require.EqualValues(t, 8, p.welcome(8).After)

		// A snapshot that cannot be had: the welcome after it does not count.
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(2 * protocol.BackoffBase)
		p = s.accept()
		next[*protocol.Hello](p)
		snapshot.URL, snapshot.Seq = "http://store/gone", 20
		_ = p.conn.Write(t.Context(), 1, protocol.EncodeFrame(snapshot))
		_ = p.conn.Write(t.Context(), 1, protocol.EncodeFrame(&protocol.Welcome{Version: 1, Epoch: "e1", Through: 21, Access: protocol.AccessWrite}))
		synctest.Wait()
		require.EqualValues(t, 8, c.LastSeq())
		require.False(t, c.Synced())
		_ = events.take()

		// Hello said again on the same connection is answered in pieces.
		require.EqualValues(t, 8, next[*protocol.Hello](p).After)
		p.send(&protocol.Range{After: 0, Through: 21, More: true, Update: []byte{3}},
			&protocol.Welcome{Version: 1, Epoch: "e1", Through: 21, Access: protocol.AccessWrite, Update: []byte{4}})
		require.Equal(t, []string{"update 0 [3]", "update 21 [4]", "welcome e1 through 21"}, events.take())
		require.EqualValues(t, 21, c.LastSeq())
		require.True(t, c.Synced())

		// Once: who cannot have the pieces either starts over.
		p.send(&protocol.SnapshotByURL{Seq: 30, Size: 2, URL: "http://store/gone"})
		require.Equal(t, []string{"disconnected"}, events.take())
		time.Sleep(protocol.BackoffMax)
		require.EqualValues(t, 21, next[*protocol.Hello](s.accept()).After)
	})
}

// The download may fail before the welcome comes, which then does not count.
func TestASnapshotThatCannotBeHadBeforeTheWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.files = &files{t: t, objects: map[string][]byte{}}
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		next[*protocol.Hello](p)
		p.send(&protocol.SnapshotByURL{Seq: 5, Size: 2, URL: "http://store/gone"})
		time.Sleep(time.Second) // it has failed
		p.nothing()
		p.send(&protocol.Welcome{Version: 1, Epoch: "e1", Through: 7, Access: protocol.AccessWrite, Update: []byte{7}})
		require.Empty(t, events.take())
		require.Zero(t, c.LastSeq())
		require.False(t, c.Synced())
		next[*protocol.Hello](p)
		p.send(&protocol.Welcome{Version: 1, Epoch: "e1", Through: 7, Access: protocol.AccessWrite, Update: []byte{6}})
		require.Equal(t, []string{"update 7 [6]", "welcome e1 through 7"}, events.take())
		require.True(t, c.Synced())
		require.EqualValues(t, 1, s.count())
	})
}
