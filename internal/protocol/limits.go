package protocol

import "time"

// Sizes of the wire, in bytes. All follow from two limits of API Gateway that
// cannot be raised: 32 KB for a WebSocket frame and 128 KB for a message.
// Source: "Amazon API Gateway endpoints and quotas", API-level quotas for
// WebSocket APIs (message payload size 128 KB, frame size 32 KB).
const (
	// MaxFrame is the largest WebSocket frame the gateway takes from a client;
	// a larger one closes the connection with 1009.
	MaxFrame = 32 << 10
	// MaxPost is the largest message the gateway takes from a client (in
	// several frames) and the largest one a function may post to it.
	MaxPost = 128 << 10
	// MaxClientMessage is the largest raw message of a client: base64 makes
	// 32,000 characters of it, one frame with room for its header. Browsers do
	// not let a page choose the framing, so a message must fit one frame.
	MaxClientMessage = 24_000
	// MaxServerMessage is the largest raw message of the server: base64 makes
	// 128,000 characters of it, within MaxPost.
	MaxServerMessage = 96_000
	// MaxHeader bounds what a submit, broadcast or range adds to its update: a
	// type, three numbers and a length. An update may have the message's limit
	// less this.
	MaxHeader = 32
	// MaxUploadHeaders bounds the headers of an upload offer; S3 needs three.
	MaxUploadHeaders = 32
	// MaxTabs bounds the tabs of one connection whose presence ends with it.
	MaxTabs = 32
	// MaxUint is the largest number on the wire: JavaScript counts exactly up
	// to 2^53 - 1, and lib0's readVarUint refuses more.
	MaxUint = 1<<53 - 1
)

// Times that both sides keep to.
const (
	// IdleTimeout is when API Gateway closes a connection on which nothing was
	// sent or received. Cannot be raised.
	IdleTimeout = 10 * time.Minute
	// Lifetime is when API Gateway closes any connection. Cannot be raised.
	Lifetime = 2 * time.Hour
	// RenewBefore is how long before Lifetime a client opens its next
	// connection at the latest; a random time up to RenewJitter earlier, so that
	// clients that came together do not all return together.
	RenewBefore = 5 * time.Minute
	// RenewJitter spreads renewals: 20,000 clients over ten minutes are 33
	// connections a second, of the 500 a second the account allows.
	RenewJitter = 10 * time.Minute
	// KeepAlive is how long a client lets a connection be silent before it
	// probes: half of IdleTimeout, so that one lost probe does no harm.
	KeepAlive = 5 * time.Minute
	// ProbeQuiet is how long after the last sign of an edit a client probes
	// once (up to half as long again, at random), to learn of a broadcast that
	// was lost at the end of a burst: no later one would show the gap. Four
	// people with an edit each every ten seconds leave ten quiet seconds after
	// one edit in fifty, so probes do not show on the bill.
	ProbeQuiet = 10 * time.Second
	// AckTimeout is how long a client waits for an acknowledgement before it
	// submits again: API Gateway gives a function 29 s.
	AckTimeout = 30 * time.Second
	// GapPatience is how long a client waits for a missing sequence number
	// before it asks for the range. Functions run side by side, so broadcasts
	// overtake each other by some tens of milliseconds all the time.
	GapPatience = 250 * time.Millisecond
	// MergeInterval is how long a client gathers local edits into one submit.
	// Every message and every post is billed and counts against the account's
	// 10,000 requests a second.
	MergeInterval = 50 * time.Millisecond
	// PresenceInterval is how often a client sends its presence at most; it
	// grows with the room (PresencePace).
	PresenceInterval = 100 * time.Millisecond
	// BackoffBase and BackoffMax bound the full-jitter reconnect delay: a
	// random time up to min(BackoffMax, BackoffBase * 2^attempt). The account
	// allows 500 new connections a second.
	BackoffBase = 500 * time.Millisecond
	BackoffMax  = 30 * time.Second
)

// LargeRoom is the number of members above which the server stops announcing
// peers that join, and clients lower their presence rate.
const LargeRoom = 100

// Version is the protocol version that hello and welcome carry.
const Version = 1

// Presence in large rooms: every update is posted to all other members.
const (
	// PresencePosts is how many posts a second a room may cost when all its
	// members move at once: a fifth of the account's 10,000 requests a second.
	PresencePosts = 2_000
	// MaxPresenceInterval keeps presence well under the 30 s after which
	// y-protocols takes a silent client for gone.
	MaxPresenceInterval = 10 * time.Second
)

// PresencePace returns how often a client sends its presence at most in a room
// of that many members, itself included: all of them moving cost members^2
// posts in that time.
func PresencePace(members int) time.Duration {
	if members > 1_000 { // far beyond the bound, and no overflow
		return MaxPresenceInterval
	}
	pace := time.Duration(members*members) * time.Second / PresencePosts
	return min(max(pace, PresenceInterval), MaxPresenceInterval)
}
