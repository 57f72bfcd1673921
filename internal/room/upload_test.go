package room_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// request asks for a place for data and puts it there.
func (w *world) upload(from room.Origin, data []byte) *protocol.UploadOffer {
	w.t.Helper()
	offer := ask[*protocol.UploadOffer](w, from, &protocol.UploadRequest{ID: 5, Size: uint64(len(data)), SHA256: sha256.Sum256(data)})
	require.EqualValues(w.t, 5, offer.ID)
	require.Len(w.t, offer.Upload, 32)
	require.NotEmpty(w.t, offer.Headers)
	require.NoError(w.t, w.store.Uploads().PutURL(offer.URL, data))
	return offer
}

// N6: a large paste is in the log as a whole or not at all; Symphony peers
// fetch it as a whole, plain ones get valid pieces.
func TestALargeUpdateIsUploadedCommittedAndBroadcast_N6(t *testing.T) {
	w := newWorld(t)
	ann, sym, plain := w.join("a", "ann"), w.join("s", "sym"), w.join("p", "plain")
	w.hello(ann, 1)
	w.hello(sym, 2)
	_ = plain
	w.gateway.Take("s")
	w.gateway.Take("p")
	paste := (&roomtest.Author{Client: 1}).Insert(strings.Repeat("paste ", 100_000))
	offer := w.upload(ann, paste)
	require.Empty(t, w.entries(0), "not before the commit")
	require.Empty(t, w.gateway.Take("s"))

	ack := ask[*protocol.Ack](w, ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
	require.Equal(t, &protocol.Ack{ID: 6, Seq: 1}, ack)
	log := w.entries(0)
	require.Len(t, log, 1)
	require.True(t, bytes.Equal(paste, log[0].Data))
	require.Equal(t, "ann", log[0].Author)

	links := inbox[*protocol.BroadcastByURL](w, "s")
	require.Len(t, links, 1)
	require.EqualValues(t, 1, links[0].Seq)
	require.EqualValues(t, len(paste), links[0].Size)
	require.Equal(t, sha256.Sum256(paste), links[0].SHA256)
	got, err := w.store.Uploads().GetURL(links[0].URL)
	require.NoError(t, err)
	require.True(t, bytes.Equal(paste, got))

	var pieces [][]byte
	for _, m := range w.gateway.Take("p") {
		u := m.(*protocol.SyncUpdate)
		require.NoError(t, yjs.Validate(u.Update))
		pieces = append(pieces, u.Update)
	}
	require.GreaterOrEqual(t, len(pieces), 6)
	wantSame(t, paste, merged(t, pieces...))

	// Committing again, as after a lost answer, is harmless.
	require.EqualValues(t, 2, ask[*protocol.Ack](w, ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload}).Seq)
	wantSame(t, paste, w.document())
}

func TestAnUploadWithoutALinkGoesInRangePieces(t *testing.T) {
	w := newWorld(t)
	ann, sym := w.join("a", "ann"), w.join("s", "sym")
	w.hello(ann, 1)
	w.hello(sym, 2)
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 3}).Insert("x")})
	w.gateway.Take("s")
	paste := (&roomtest.Author{Client: 1}).Insert(strings.Repeat("x", 300_000))
	offer := w.upload(ann, paste)
	w.faults.Inject(faultstore.Named("Uploads.Link", 0, faultstore.Fault{Before: true}))
	ask[*protocol.Ack](w, ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
	pieces := inbox[*protocol.Range](w, "s")
	require.Len(t, pieces, 4)
	var doc [][]byte
	for i, p := range pieces {
		require.EqualValues(t, 1, p.After)
		require.EqualValues(t, 2, p.Through)
		require.Equal(t, i < 3, p.More)
		doc = append(doc, p.Update)
	}
	wantSame(t, paste, merged(t, doc...))
}

func TestASmallUploadIsBroadcastLikeAnyEdit(t *testing.T) {
	w := newWorld(t)
	ann, sym := w.join("a", "ann"), w.join("s", "sym")
	w.hello(sym, 2)
	small := (&roomtest.Author{Client: 1}).Insert(strings.Repeat("x", 50_000))
	offer := w.upload(ann, small)
	ask[*protocol.Ack](w, ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
	require.Equal(t, []*protocol.Broadcast{{Seq: 1, Update: small}}, inbox[*protocol.Broadcast](w, "s"))
}

func TestBadUploadsAreRefused_G8(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	garbage := bytes.Repeat([]byte("garbage"), 10_000)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"no update": {garbage, room.ErrInvalidUpdate},
		"a value that could be delivered to nobody":   {(&roomtest.Author{Client: 1}).Binary(200_000), room.ErrTooLarge},
		"an update that is cut short at the very end": {(&roomtest.Author{Client: 1}).Insert(strings.Repeat("x", 50_000))[:50_000], room.ErrInvalidUpdate},
	} {
		offer := w.upload(ann, c.data)
		_, err := w.send(ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
		require.ErrorIs(t, err, c.want, name)
		var answered *room.MessageError
		require.ErrorAs(t, err, &answered)
		_, err = w.send(ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
		require.ErrorIs(t, err, room.ErrMalformed, "the object is gone")
	}
	require.Empty(t, w.entries(0))

	// Offered but not put; and put in another room.
	offer := ask[*protocol.UploadOffer](w, ann, &protocol.UploadRequest{ID: 5, Size: 10})
	_, err := w.send(ann, &protocol.UploadCommit{ID: 6, Upload: offer.Upload})
	require.ErrorIs(t, err, room.ErrMalformed)
	stolen := w.upload(ann, (&roomtest.Author{Client: 1}).Insert("x"))
	thief := room.Origin{Connection: "t", Room: "elsewhere", User: room.User{ID: "thief"}, Access: room.AccessWrite}
	require.NoError(t, w.service.Join(t.Context(), "elsewhere", member(thief)))
	_, err = w.send(thief, &protocol.UploadCommit{ID: 6, Upload: stolen.Upload})
	require.ErrorIs(t, err, room.ErrMalformed)

	// A store that does not answer is another matter: the client tries again.
	w.faults.Inject(faultstore.Named("Uploads.Fetch", 1, faultstore.Fault{Before: true}))
	_, err = w.send(ann, &protocol.UploadCommit{ID: 6, Upload: stolen.Upload})
	require.ErrorIs(t, err, room.ErrUnavailable)
	ask[*protocol.Ack](w, ann, &protocol.UploadCommit{ID: 6, Upload: stolen.Upload})
}

func TestWithoutAStoreForUploadsTheyAreUnsupported(t *testing.T) {
	w := newWorld(t)
	p := w.ports()
	p.Uploads = nil
	service, err := room.NewService(p, room.Options{})
	require.NoError(t, err)
	ann := w.join("a", "ann")
	for _, m := range []protocol.Message{&protocol.UploadRequest{ID: 5, Size: 10}, &protocol.UploadCommit{ID: 5, Upload: strings.Repeat("0", 32)}} {
		_, err = service.Receive(t.Context(), ann, protocol.EncodeFrameString(m))
		require.ErrorIs(t, err, room.ErrUnsupported)
	}
}
