package gateway

import (
	"sync"
	"sync/atomic"
)

// metrics counts what happens. Counters only grow.
type metrics struct {
	connects, refused, disconnects    atomic.Int64
	messages, messageBytes            atomic.Int64
	posts, postBytes, postFailures    atomic.Int64
	invocations, invocationsInFlight  atomic.Int64
	replies, dropped, disconnectsLost atomic.Int64

	mu     sync.Mutex
	errors map[string]int64
}

// Snapshot is the state of a gateway's counters at one moment. Everything but
// Connections and InFlight only grows.
type Snapshot struct {
	// Connections is how many are open now; Connects and Disconnects how many
	// were ever opened and have ended; Refused how many upgrades were turned
	// down.
	Connections, Connects, Disconnects, Refused int64
	// Messages and MessageBytes came from clients.
	Messages, MessageBytes int64
	// Posts and PostBytes were accepted for delivery, PostFailures were not.
	Posts, PostBytes, PostFailures int64
	// Invocations of functions, and those under way now.
	Invocations, InFlight int64
	// Replies are route responses sent. Dropped frames were given up because
	// the client did not read or was gone.
	Replies, Dropped int64
	// DisconnectsLost are $disconnect events dropped on purpose (Chaos).
	DisconnectsLost int64
	// Errors counts by kind: see the Error… constants.
	Errors map[string]int64
}

// The kinds of Snapshot.Errors.
const (
	ErrorThrottled     = "throttled"      // a request over the account's rate
	ErrorConnectRate   = "connect-rate"   // a connect over the connect rate
	ErrorUnauthorized  = "unauthorized"   // no identity source (401)
	ErrorDenied        = "denied"         // the policy said no (403)
	ErrorAuthorizer    = "authorizer"     // the authorizer failed (500)
	ErrorHandshake     = "handshake"      // not a WebSocket upgrade, or a broken one
	ErrorPath          = "path"           // unknown stage or path (403)
	ErrorFunction      = "function"       // a function failed or answered nonsense
	ErrorTimeout       = "timeout"        // a function took over Limits.Integration
	ErrorBinary        = "binary"         // closed with 1003
	ErrorTooLarge      = "too-large"      // closed with 1009, or a post got 413
	ErrorProtocol      = "protocol"       // closed with 1002 or 1007
	ErrorIdle          = "idle"           // closed after Limits.Idle
	ErrorLifetime      = "lifetime"       // closed after Limits.Lifetime
	ErrorSlowReader    = "slow-reader"    // closed after Limits.SlowReader
	ErrorGone          = "gone"           // a post got 410
	ErrorBufferFull    = "buffer-full"    // a post got 429 because nobody reads
	ErrorPostForbidden = "post-forbidden" // a management request got 403
)

func (m *metrics) fail(kind string) {
	m.mu.Lock()
	if m.errors == nil {
		m.errors = make(map[string]int64)
	}
	m.errors[kind]++
	m.mu.Unlock()
}

func (m *metrics) snapshot(open int) Snapshot {
	s := Snapshot{
		Connections: int64(open), Connects: m.connects.Load(), Disconnects: m.disconnects.Load(), Refused: m.refused.Load(),
		Messages: m.messages.Load(), MessageBytes: m.messageBytes.Load(),
		Posts: m.posts.Load(), PostBytes: m.postBytes.Load(), PostFailures: m.postFailures.Load(),
		Invocations: m.invocations.Load(), InFlight: m.invocationsInFlight.Load(),
		Replies: m.replies.Load(), Dropped: m.dropped.Load(), DisconnectsLost: m.disconnectsLost.Load(),
		Errors: make(map[string]int64),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, n := range m.errors {
		s.Errors[kind] = n
	}
	return s
}
