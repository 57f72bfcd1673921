// Package protocol is Symphony's wire: one Go type for each message of
// docs/PROTOCOL.md, the binary encoding of lib0 that y-protocols uses, and the
// text frames that carry it (API Gateway closes a connection that sends a
// binary frame). It depends on the standard library only.
//
// Decoded messages alias the bytes they were decoded from.
package protocol

// Type is the number a message starts with.
type Type uint64

// The message types. 0 to 3 are y-protocols' (PROTOCOL.md there, and the
// constants of y-websocket); 100 and up are Symphony's own.
const (
	TypeSync           Type = 0
	TypeAwareness      Type = 1
	TypeAuth           Type = 2
	TypeQueryAwareness Type = 3

	TypeHello          Type = 100
	TypeWelcome        Type = 101
	TypeSubmit         Type = 102
	TypeAck            Type = 103
	TypeBroadcast      Type = 104
	TypeRangeRequest   Type = 105
	TypeRange          Type = 106
	TypeProbe          Type = 107
	TypeTail           Type = 108
	TypeUploadRequest  Type = 110
	TypeUploadOffer    Type = 111
	TypeUploadCommit   Type = 112
	TypeBroadcastByURL Type = 113
	TypeSnapshotByURL  Type = 114
	TypePeerJoined     Type = 120
	TypePeerLeft       Type = 121
	TypeEvent          Type = 122
	TypePeerEvent      Type = 123
	TypeTabPresence    Type = 124
	TypeTabLeft        Type = 125
	TypeNotice         Type = 130
	TypeError          Type = 131
)

// The kinds of a sync message (y-protocols sync.js) and of an auth message
// (auth.js).
const (
	syncStep1  = 0
	syncStep2  = 1
	syncUpdate = 2

	authDenied = 0
)

// Message is one message of the wire. The implementations are the pointer
// types of this package, and no others.
type Message interface {
	// Type returns the number the message starts with.
	Type() Type
	// fields visits the body's fields in the order of the wire. The same list
	// measures, writes and reads, so the three cannot differ.
	fields(c *coder)
}

// SyncStep1 asks for what the sender, who has StateVector, is missing.
type SyncStep1 struct{ StateVector []byte }

// SyncStep2 answers SyncStep1 with the missing Update.
type SyncStep2 struct{ Update []byte }

// SyncUpdate carries an incremental update.
type SyncUpdate struct{ Update []byte }

// Awareness carries an awareness update (who is here, and where).
type Awareness struct{ Update []byte }

// Auth tells a plain client that permission was denied.
type Auth struct{ Reason string }

// QueryAwareness asks for the receiver's awareness states.
type QueryAwareness struct{}

// Hello starts a Symphony session: the client's Yjs id, and where it left off.
type Hello struct {
	Version uint64
	Client  uint64
	// Epoch is the one a welcome gave, "" the first time; with it, After is
	// the last sequence number the client has everything up to.
	Epoch string
	After uint64
	// StateVector is of the client's document; empty when it has none.
	StateVector []byte
}

// Welcome answers Hello. It is also the last piece of the catch-up: after it
// the client has everything through Through.
type Welcome struct {
	Version    uint64
	Epoch      string
	Through    uint64
	Connection string
	UserID     string
	UserName   string
	Access     Access
	Members    uint64
	// TimeMS is the server's clock, milliseconds since 1970 UTC.
	TimeMS uint64
	// StateVector is the server's, so that the client can submit what the
	// server lacks; empty on resume.
	StateVector []byte
	// Update is empty when nothing is missing.
	Update []byte
}

// Access is what a connection may do, as Welcome says it.
type Access string

const (
	// AccessWrite: read and change.
	AccessWrite Access = "write"
	// AccessRead: read and show presence.
	AccessRead Access = "read"
)

// Submit hands an update to the server. ID counts from 1 on a client and stays
// the same when the update is submitted again.
type Submit struct {
	ID     uint64
	Update []byte
}

// Ack says that the update submitted as ID is durable as number Seq.
type Ack struct{ ID, Seq uint64 }

// Broadcast carries update number Seq of the room to the other members.
type Broadcast struct {
	Seq    uint64
	Update []byte
}

// RangeRequest asks for the updates after After, through Through (0: all).
type RangeRequest struct{ After, Through uint64 }

// Range carries the updates after After through Through, merged. While More is
// set, further pieces follow, and only the one without it completes the range.
type Range struct {
	After   uint64
	Through uint64
	More    bool
	Update  []byte
}

// Probe keeps the connection alive and tells the last number the client has.
type Probe struct{ Seq uint64 }

// Tail answers a Probe when there is nothing newer.
type Tail struct{ Seq uint64 }

// UploadRequest asks where to put an update too large for a message.
type UploadRequest struct {
	ID     uint64
	Size   uint64
	SHA256 [32]byte
}

// UploadHeader is one HTTP header the upload must carry.
type UploadHeader struct{ Name, Value string }

// UploadOffer says where: HTTP PUT to URL with exactly these headers.
type UploadOffer struct {
	ID      uint64
	Upload  string
	URL     string
	Headers []UploadHeader
}

// UploadCommit submits what was uploaded; it is answered like a Submit.
type UploadCommit struct {
	ID     uint64
	Upload string
}

// BroadcastByURL is a Broadcast whose update is fetched with HTTP GET.
type BroadcastByURL struct {
	Seq    uint64
	Size   uint64
	SHA256 [32]byte
	URL    string
}

// SnapshotByURL carries everything through Seq, to be fetched with HTTP GET.
type SnapshotByURL struct {
	Seq    uint64
	Size   uint64
	SHA256 [32]byte
	URL    string
}

// PeerJoined announces another member that said hello.
type PeerJoined struct {
	Connection string
	Client     uint64
	UserID     string
	UserName   string
}

// PeerLeft tells that a member is gone; its presence (Client, 0 when it was
// never known) can be removed at once.
type PeerLeft struct {
	Connection string
	Client     uint64
}

// Event is something the app wants the other members to hear of once. It is
// relayed, never stored. Data is up to the app; Symphony's own clients put JSON
// there. Client is the sender's Yjs client id: several tabs may share a
// connection.
type Event struct {
	Client uint64
	Data   string
}

// PeerEvent is another member's Event, with the connection and user it came
// from as the server knows them.
type PeerEvent struct {
	Connection string
	Client     uint64
	UserID     string
	Data       string
}

// TabPresence is Awareness of other tabs of the sender's browser, which have no
// connection of their own: the server passes it on as Awareness, and when the
// connection is gone it says of each client in it that it has left.
type TabPresence struct {
	Update []byte
}

// TabLeft tells that the connection that a Yjs client shared with another tab is
// gone, and with it the client's presence. The member is in PeerLeft.
type TabLeft struct {
	Client uint64
}

// Notice is something worth knowing that is no error. Unknown codes are to be
// ignored.
type Notice struct {
	Code string
	Text string
}

// Error answers a message that was not accepted.
type Error struct {
	Code Code
	// ID is the id of the submit or upload it answers, 0 for any other.
	ID uint64
	// RetryMS is how long to wait before the same message is sent again, in
	// milliseconds; 0: do not send it again.
	RetryMS uint64
	Text    string
}

func (*SyncStep1) Type() Type      { return TypeSync }
func (*SyncStep2) Type() Type      { return TypeSync }
func (*SyncUpdate) Type() Type     { return TypeSync }
func (*Awareness) Type() Type      { return TypeAwareness }
func (*Auth) Type() Type           { return TypeAuth }
func (*QueryAwareness) Type() Type { return TypeQueryAwareness }
func (*Hello) Type() Type          { return TypeHello }
func (*Welcome) Type() Type        { return TypeWelcome }
func (*Submit) Type() Type         { return TypeSubmit }
func (*Ack) Type() Type            { return TypeAck }
func (*Broadcast) Type() Type      { return TypeBroadcast }
func (*RangeRequest) Type() Type   { return TypeRangeRequest }
func (*Range) Type() Type          { return TypeRange }
func (*Probe) Type() Type          { return TypeProbe }
func (*Tail) Type() Type           { return TypeTail }
func (*UploadRequest) Type() Type  { return TypeUploadRequest }
func (*UploadOffer) Type() Type    { return TypeUploadOffer }
func (*UploadCommit) Type() Type   { return TypeUploadCommit }
func (*BroadcastByURL) Type() Type { return TypeBroadcastByURL }
func (*SnapshotByURL) Type() Type  { return TypeSnapshotByURL }
func (*PeerJoined) Type() Type     { return TypePeerJoined }
func (*PeerLeft) Type() Type       { return TypePeerLeft }
func (*Event) Type() Type          { return TypeEvent }
func (*PeerEvent) Type() Type      { return TypePeerEvent }
func (*TabPresence) Type() Type    { return TypeTabPresence }
func (*TabLeft) Type() Type        { return TypeTabLeft }
func (*Notice) Type() Type         { return TypeNotice }
func (*Error) Type() Type          { return TypeError }
