// Package rtclient is a client of Symphony's wire for Go programs: the load
// test, the CLI and end-to-end tests. It keeps a connection to one room, in
// Symphony mode (hello and resume, acknowledgements, gap detection, probes,
// uploads; docs/PROTOCOL.md) or as a plain y-protocols client, and hands what
// it receives to callbacks. It need not hold a document.
//
// A client costs one goroutine while connected, none while it waits to
// reconnect, and one timer, so that a process can run many thousands.
package rtclient

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// Mode says which of the two protocols a client speaks.
type Mode uint8

const (
	// Symphony says hello: sequence numbers, acknowledgements, resume.
	Symphony Mode = iota
	// Plain is what an unmodified y-protocols provider does: sync steps,
	// updates and awareness, and no way to know what arrived.
	Plain
)

// Options configures Dial. The zero value is a Symphony client of room "".
type Options struct {
	Mode Mode
	// Room is the room id; it is put into the URL's query unless it is "".
	Room string
	// Token returns the access token for each connection; nil for none.
	Token func(ctx context.Context) (string, error)
	// TokenInQuery sends the token as the query parameter "token" rather than
	// as a subprotocol.
	TokenInQuery bool
	// Client is the Yjs client id, 0 when there is none to announce.
	Client uint64
	// Epoch and After resume where an earlier client's Position was.
	Epoch string
	After uint64
	// Document is kept up to date and asked for what the server lacks; nil for
	// a client that only looks at updates.
	Document Document
	Events   Events

	// NoReconnect ends the client with its first connection.
	NoReconnect bool
	// MaxPending bounds the updates waiting for an acknowledgement; Submit
	// returns ErrPending beyond. Default 4,096.
	MaxPending int
	// MaxMessage bounds the raw size of an outgoing message; a larger update
	// is uploaded. Default protocol.MaxClientMessage. Above it messages go as
	// several WebSocket frames, each under protocol.MaxFrame.
	MaxMessage int
	// Times are the intervals; zero fields take the protocol's.
	Times Times

	// HTTPClient makes the handshake, uploads and downloads. The default keeps
	// its buffers small.
	HTTPClient *http.Client
	// Clock and Rand default to the system's.
	Clock Clock
	// Rand returns a number in [0, 1).
	Rand func() float64
}

// Times are the client's intervals; docs/PROTOCOL.md gives the reasons.
type Times struct {
	KeepAlive, ProbeQuiet, AckTimeout, GapPatience  time.Duration
	Lifetime, RenewBefore, RenewJitter              time.Duration
	BackoffBase, BackoffMax, DialTimeout, WriteTime time.Duration
}

// Document is what the client needs of a Yjs document. Its methods are called
// one at a time.
type Document interface {
	// Apply integrates an update from the server.
	Apply(update []byte) error
	// StateVector returns the document's encoded state vector.
	StateVector() []byte
	// Diff returns what a peer with that state vector is missing.
	Diff(stateVector []byte) ([]byte, error)
}

// Events are the callbacks; each may be nil. They run one at a time on the
// client's goroutine, so they should return soon; they may call the client's
// methods. Byte slices belong to the callee.
type Events struct {
	// OnUpdate gets every update, in the order of arrival, which need not be
	// that of seq. seq is the update's number, or, for the merged updates of a
	// catch-up or range, the number they complete. No number but 0 comes
	// twice: 0 stands for plain mode, for a piece that more pieces follow, and
	// for a range whose last number had come by itself. What is merged may
	// hold again what came before; updates are idempotent.
	OnUpdate func(seq uint64, update []byte)
	// OnAck says that the submit with this id is durable as number seq.
	OnAck func(id, seq uint64)
	// OnRejected says that the server will not take the submit with this id;
	// it has been taken out of the outbox.
	OnRejected func(id uint64, err *protocol.Error)
	// OnAwareness gets an awareness update.
	OnAwareness func(update []byte)
	// OnPeerJoined and OnPeerLeft follow the other members of the room.
	OnPeerJoined func(*protocol.PeerJoined)
	OnPeerLeft   func(*protocol.PeerLeft)
	OnNotice     func(*protocol.Notice)
	// OnPeerEvent gets what another member sent with SendEvent.
	OnPeerEvent func(*protocol.PeerEvent)
	// OnError gets the server's errors that answer no submit.
	OnError func(*protocol.Error)
	// OnWelcome is called on every connection in Symphony mode, after its
	// update was delivered.
	OnWelcome func(*protocol.Welcome)
	// OnDisconnect is called when a connection ended that was not replaced by
	// its successor and not closed by Close.
	OnDisconnect func(err error)
}

// Timer is what Clock.AfterFunc returns; time.Timer is one.
type Timer interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// Clock is the time as the client sees it.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f on a goroutine of its own after d.
	AfterFunc(d time.Duration, f func()) Timer
}

type systemClock struct{}

func (systemClock) Now() time.Time                            { return time.Now() }
func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// defaultHTTPClient is shared by all clients of a process. The transport's
// buffers stay with an upgraded connection, so they are small.
var defaultHTTPClient = &http.Client{Transport: &http.Transport{
	Proxy:               http.ProxyFromEnvironment,
	DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout: 10 * time.Second,
	ReadBufferSize:      1 << 10,
	WriteBufferSize:     1 << 10,
	MaxIdleConnsPerHost: 4,
	IdleConnTimeout:     time.Minute,
}}

const defaultMaxPending = 4096

func (o *Options) setDefaults() {
	if o.MaxPending == 0 {
		o.MaxPending = defaultMaxPending
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = protocol.MaxClientMessage
	}
	if o.HTTPClient == nil {
		o.HTTPClient = defaultHTTPClient
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	o.Times.setDefaults()
}

func (t *Times) setDefaults() {
	for field, value := range map[*time.Duration]time.Duration{
		&t.KeepAlive:   protocol.KeepAlive,
		&t.ProbeQuiet:  protocol.ProbeQuiet,
		&t.AckTimeout:  protocol.AckTimeout,
		&t.GapPatience: protocol.GapPatience,
		&t.Lifetime:    protocol.Lifetime,
		&t.RenewBefore: protocol.RenewBefore,
		&t.RenewJitter: protocol.RenewJitter,
		&t.BackoffBase: protocol.BackoffBase,
		&t.BackoffMax:  protocol.BackoffMax,
		&t.DialTimeout: protocol.AckTimeout,
		&t.WriteTime:   protocol.AckTimeout,
	} {
		if *field == 0 {
			*field = value
		}
	}
}
