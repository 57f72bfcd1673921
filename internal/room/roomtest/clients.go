package roomtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// session is a stage with client models in it. A model does what its real
// counterpart does with the same messages, and nothing more; its document is
// the merge of all updates it got.
type session struct {
	*stage
	clients []client
	// acknowledged is every update any client was told is durable.
	acknowledged [][]byte
	conns        int
}

var errNotConnected = errors.New("not connected")

// client is a model of either kind.
type client interface {
	name() string
	connect()
	// online says whether the client believes to be connected.
	online() bool
	handle(m protocol.Message)
	edit(update []byte)
	document() []byte
	connection() room.ConnectionID
	lost()
	// quiet is what the client does when nothing has happened for a while.
	quiet()
}

// peer is what both kinds have.
type peer struct {
	s    *session
	user string
	text *Author
	from room.Origin
	doc  []byte
	up   bool
}

func (p *peer) name() string                  { return p.user }
func (p *peer) online() bool                  { return p.up }
func (p *peer) document() []byte              { return p.doc }
func (p *peer) connection() room.ConnectionID { return p.from.Connection }
func (p *peer) lost()                         { p.up = false }

func (p *peer) apply(update []byte) {
	if len(update) > 0 {
		p.doc = Merged(p.s.t, p.doc, update)
	}
}

// open connects, as a provider does that tries until it succeeds.
func (p *peer) open() {
	for range 10 {
		p.s.conns++
		p.from = room.Origin{
			Connection: room.ConnectionID(fmt.Sprintf("%s-%s-%d", p.s.room, p.user, p.s.conns)), Room: p.s.room,
			User: room.User{ID: p.user}, Access: room.AccessWrite, ConnectedAt: p.s.clock.Now(),
		}
		err := p.s.service.Join(p.s.t.Context(), p.s.room, memberOf(p.from))
		p.s.restart()
		if err == nil {
			p.s.gateway.Open(p.from.Connection)
			p.up = true
			return
		}
	}
	require.FailNow(p.s.t, "cannot connect")
}

// drop loses the connection without a $disconnect.
func (p *peer) drop() {
	p.s.gateway.Close(p.from.Connection)
	p.up = false
}

// receive sends a message. The answer is nil when there was none, or an error.
func (p *peer) receive(m protocol.Message) (protocol.Message, error) {
	if !p.up {
		return nil, errNotConnected
	}
	defer p.s.restart()
	answer, err := p.s.send(p.from, m)
	if !p.s.gateway.IsOpen(p.from.Connection) {
		p.up = false
	}
	return answer, err
}

// synced demands, once a client believes to have everything, that it has what
// was acknowledged before it asked (P22, P23).
func (p *peer) synced(before [][]byte) {
	for _, u := range before {
		has, err := yjs.Contains(p.doc, u)
		require.NoError(p.s.t, err)
		require.True(p.s.t, has, "%s is told it has everything, but lacks an acknowledged update", p.user)
	}
}

// restart replaces a process that died.
func (s *session) restart() {
	if s.faults.Dead() {
		s.faults.Restart()
	}
}

// plainClient is y-websocket's provider.
type plainClient struct{ peer }

func (c *plainClient) connect() {
	for range 10 {
		c.open()
		before := slices.Clone(c.s.acknowledged)
		answer, err := c.receive(&protocol.SyncStep1{StateVector: VectorOf(c.s.t, c.doc)})
		// What was posted meanwhile came first.
		c.s.drain(c)
		step2, ok := answer.(*protocol.SyncStep2)
		if err == nil && ok {
			c.apply(step2.Update)
			c.synced(before)
			_, _ = c.receive(&protocol.Awareness{Update: Presence(c.text.Client, 1, `{"user":"x"}`)})
			return
		}
		c.drop() // closed, or after 30 s without a message
	}
	require.FailNow(c.s.t, "cannot sync")
}

func (c *plainClient) handle(m protocol.Message) {
	switch m := m.(type) {
	case *protocol.SyncStep1:
		missing, err := yjs.Diff(c.doc, m.StateVector)
		require.NoError(c.s.t, err)
		_, _ = c.receive(&protocol.SyncStep2{Update: missing})
	case *protocol.SyncUpdate:
		c.apply(m.Update)
	case *protocol.QueryAwareness:
		_, _ = c.receive(&protocol.Awareness{Update: Presence(c.text.Client, 2, `{"user":"x"}`)})
	case *protocol.Awareness:
	default:
		require.FailNow(c.s.t, "a plain client got", "%T", m)
	}
}

func (c *plainClient) edit(update []byte) {
	c.apply(update)
	if c.up {
		_, _ = c.receive(&protocol.SyncUpdate{Update: update}) // no answer either way
	}
}

func (c *plainClient) quiet() {}

// symphonyClient is our own client's protocol.
type symphonyClient struct {
	peer
	epoch   string
	after   room.Seq
	ahead   map[room.Seq]bool
	pending map[uint64][]byte
	nextID  uint64
}

func (c *symphonyClient) connect() {
	for range 10 {
		c.open()
		before := slices.Clone(c.s.acknowledged)
		answer, err := c.receive(&protocol.Hello{
			Version: protocol.Version, Client: c.text.Client, Epoch: c.epoch, After: uint64(c.after), StateVector: VectorOf(c.s.t, c.doc),
		})
		c.s.drain(c)
		welcome, ok := answer.(*protocol.Welcome)
		if err == nil && ok {
			c.apply(welcome.Update)
			if c.epoch != welcome.Epoch {
				c.epoch, c.after, c.ahead = welcome.Epoch, 0, map[room.Seq]bool{}
			}
			c.reached(room.Seq(welcome.Through))
			c.synced(before)
			c.flush()
			return
		}
		c.drop()
	}
	require.FailNow(c.s.t, "cannot sync")
}

// reached: everything through seq is there.
func (c *symphonyClient) reached(seq room.Seq) {
	c.after = max(c.after, seq)
	c.saw(0)
}

// saw: number seq is there, perhaps not all before it.
func (c *symphonyClient) saw(seq room.Seq) {
	if seq > c.after {
		c.ahead[seq] = true
	}
	for c.ahead[c.after+1] {
		c.after++
	}
	for seq := range c.ahead {
		if seq <= c.after {
			delete(c.ahead, seq)
		}
	}
}

func (c *symphonyClient) handle(m protocol.Message) {
	switch m := m.(type) {
	case *protocol.Broadcast:
		c.apply(m.Update)
		c.saw(room.Seq(m.Seq))
	case *protocol.BroadcastByURL:
		update := getURL(c.s.t, c.s.ports, m.URL)
		require.Equal(c.s.t, m.SHA256, sha256.Sum256(update))
		c.apply(update)
		c.saw(room.Seq(m.Seq))
	case *protocol.Range:
		c.apply(m.Update)
		if !m.More && room.Seq(m.After) <= c.after {
			c.reached(room.Seq(m.Through))
		}
	case *protocol.SyncUpdate: // from before it was known to be one of ours
		c.apply(m.Update)
	case *protocol.QueryAwareness:
		_, _ = c.receive(&protocol.Awareness{Update: Presence(c.text.Client, 2, `{"user":"x"}`)})
	case *protocol.Awareness, *protocol.PeerJoined, *protocol.PeerLeft:
	default:
		require.FailNow(c.s.t, "a Symphony client got", "%T", m)
	}
}

func (c *symphonyClient) edit(update []byte) {
	c.apply(update)
	c.nextID++
	c.pending[c.nextID] = update
	c.flush()
}

// flush submits what is not acknowledged, oldest first.
func (c *symphonyClient) flush() {
	for id := uint64(1); id <= c.nextID; id++ {
		update, waiting := c.pending[id]
		if !waiting || !c.up {
			continue
		}
		answer, err := c.submit(id, update)
		if ack, ok := answer.(*protocol.Ack); ok && err == nil {
			require.Equal(c.s.t, id, ack.ID)
			delete(c.pending, id)
			c.s.acknowledged = append(c.s.acknowledged, update)
			c.saw(room.Seq(ack.Seq))
		}
		if errors.Is(err, room.ErrUnknownConnection) {
			c.drop()
		}
	}
}

// submit sends one update, by message or, when it is too large, by upload.
func (c *symphonyClient) submit(id uint64, update []byte) (protocol.Message, error) {
	if len(update)+protocol.MaxHeader <= protocol.MaxClientMessage {
		return c.receive(&protocol.Submit{ID: id, Update: update})
	}
	answer, err := c.receive(&protocol.UploadRequest{ID: id, Size: uint64(len(update)), SHA256: sha256.Sum256(update)})
	offer, ok := answer.(*protocol.UploadOffer)
	if err != nil || !ok {
		return nil, err
	}
	target := room.UploadTarget{URL: offer.URL}
	for _, h := range offer.Headers {
		target.Headers = append(target.Headers, room.UploadHeader(h))
	}
	require.NoError(c.s.t, putUpload(c.s.t, c.s.ports, target, bytes.Clone(update)))
	return c.receive(&protocol.UploadCommit{ID: id, Upload: offer.Upload})
}

// quiet sends again what was not acknowledged, and asks whether anything was
// missed.
func (c *symphonyClient) quiet() {
	c.flush()
	if !c.up {
		return
	}
	m := protocol.Message(&protocol.Probe{Seq: uint64(c.after)})
	if len(c.ahead) > 0 {
		m = &protocol.RangeRequest{After: uint64(c.after)}
	}
	answer, err := c.receive(m)
	if errors.Is(err, room.ErrUnknownConnection) {
		c.drop()
	}
	if answer, ok := answer.(*protocol.Range); ok && err == nil {
		c.s.drain(c)
		c.handle(answer)
	}
}

func newSession(s *stage) *session { return &session{stage: s} }

func (s *session) plain(user string, client uint64) *plainClient {
	c := &plainClient{peer{s: s, user: user, text: &Author{Client: client}, doc: EmptyUpdate}}
	s.clients = append(s.clients, c)
	return c
}

func (s *session) symphony(user string, client uint64) *symphonyClient {
	c := &symphonyClient{
		peer:  peer{s: s, user: user, text: &Author{Client: client}, doc: EmptyUpdate},
		ahead: map[room.Seq]bool{}, pending: map[uint64][]byte{},
	}
	s.clients = append(s.clients, c)
	return c
}

// drain gives a client what has been posted to it: all of it has arrived, even
// if what the client answers to the first gets its connection closed.
func (s *session) drain(c client) (n int) {
	for _, m := range s.gateway.Take(c.connection()) {
		c.handle(m)
		n++
	}
	return n
}

// pump delivers until nothing is on its way, and lets those come back whose
// connection was closed.
func (s *session) pump() {
	for range 20 {
		busy := 0
		for _, c := range s.clients {
			if c.online() && !s.gateway.IsOpen(c.connection()) {
				c.lost()
				c.connect()
			}
			busy += s.drain(c)
		}
		if busy == 0 {
			return
		}
	}
	require.FailNow(s.t, "the messages do not end")
}
