package protocol

import "fmt"

// Size returns the number of bytes Encode makes of m.
func Size(m Message) int {
	c := coder{mode: measuring}
	c.message(m)
	return c.size
}

// Encode returns m's raw bytes: its type, then its fields.
func Encode(m Message) []byte { return Append(make([]byte, 0, Size(m)), m) }

// Append appends m's raw bytes to dst and returns the extended slice.
func Append(dst []byte, m Message) []byte {
	c := coder{mode: writing, buf: dst}
	c.message(m)
	return c.buf
}

// message measures or writes m: type, kind where there is one, fields.
func (c *coder) message(m Message) {
	t := uint64(m.Type())
	c.uint(&t)
	if k, ok := kindOf(m); ok {
		c.uint(&k)
	}
	m.fields(c)
}

// kindOf returns the number between type and fields that sync and auth have.
func kindOf(m Message) (uint64, bool) {
	switch m.(type) {
	case *SyncStep1:
		return syncStep1, true
	case *SyncStep2:
		return syncStep2, true
	case *SyncUpdate:
		return syncUpdate, true
	case *Auth:
		return authDenied, true
	}
	return 0, false
}

// Decode reads one message of either direction from raw, which it must fill
// exactly. The result aliases raw. Errors are kinds of ErrMalformed. Servers
// use DecodeClient and clients DecodeServer.
func Decode(raw []byte) (Message, error) { return decode(raw, 0, true) }

// DecodeClient reads what a client sent: ErrTooLarge over MaxClientMessage,
// ErrDirection for a message only servers send, ErrTrailing when bytes follow
// the message.
func DecodeClient(raw []byte) (Message, error) {
	if len(raw) > MaxClientMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d from a client", ErrTooLarge, len(raw), MaxClientMessage)
	}
	return decode(raw, fromClient, true)
}

// DecodeServer reads what a server sent: ErrDirection for a message only
// clients send. Bytes after the last field are ignored: a later version of the
// server may add fields there.
func DecodeServer(raw []byte) (Message, error) { return decode(raw, fromServer, false) }

func decode(raw []byte, from sender, strict bool) (Message, error) {
	c := coder{mode: reading, buf: raw}
	t := Type(c.readUint())
	if c.err != nil {
		return nil, c.err
	}
	senders := sendersOf(t)
	if senders == 0 {
		return nil, fmt.Errorf("%w: %d", ErrUnknownType, t)
	}
	if senders&from != from {
		return nil, fmt.Errorf("%w: type %d", ErrDirection, t)
	}
	m := newMessage(t, &c)
	if c.err != nil {
		return nil, c.err
	}
	m.fields(&c)
	if c.err != nil {
		return nil, fmt.Errorf("%w: type %d", c.err, t)
	}
	if strict && c.pos != len(raw) {
		return nil, fmt.Errorf("%w: %d after type %d", ErrTrailing, len(raw)-c.pos, t)
	}
	return m, nil
}

// sender is a set of those who may send a message.
type sender uint8

const (
	fromClient sender = 1 << iota
	fromServer
	fromBoth = fromClient | fromServer
)

// sendersOf returns who sends messages of type t, nobody for an unknown type.
func sendersOf(t Type) sender {
	switch t {
	case TypeSync, TypeAwareness, TypeQueryAwareness:
		return fromBoth
	case TypeHello, TypeSubmit, TypeRangeRequest, TypeProbe, TypeUploadRequest, TypeUploadCommit, TypeEvent, TypeTabPresence:
		return fromClient
	case TypeAuth, TypeWelcome, TypeAck, TypeBroadcast, TypeRange, TypeTail, TypeUploadOffer,
		TypeBroadcastByURL, TypeSnapshotByURL, TypePeerJoined, TypePeerLeft, TypePeerEvent, TypeTabLeft, TypeNotice, TypeError:
		return fromServer
	}
	return 0
}

// newMessage returns an empty message of type t, after reading the kind that
// sync and auth have.
func newMessage(t Type, c *coder) Message {
	switch t {
	case TypeSync:
		return newSync(c)
	case TypeAuth:
		if k := c.readUint(); c.err == nil && k != authDenied {
			c.fail(fmt.Errorf("%w: auth kind %d", ErrUnknownType, k))
		}
		return &Auth{}
	case TypeAwareness:
		return &Awareness{}
	case TypeQueryAwareness:
		return &QueryAwareness{}
	case TypeHello:
		return &Hello{}
	case TypeWelcome:
		return &Welcome{}
	case TypeSubmit:
		return &Submit{}
	case TypeAck:
		return &Ack{}
	case TypeBroadcast:
		return &Broadcast{}
	case TypeRangeRequest:
		return &RangeRequest{}
	case TypeRange:
		return &Range{}
	case TypeProbe:
		return &Probe{}
	case TypeTail:
		return &Tail{}
	case TypeUploadRequest:
		return &UploadRequest{}
	case TypeUploadOffer:
		return &UploadOffer{}
	case TypeUploadCommit:
		return &UploadCommit{}
	case TypeBroadcastByURL:
		return &BroadcastByURL{}
	case TypeSnapshotByURL:
		return &SnapshotByURL{}
	case TypePeerJoined:
		return &PeerJoined{}
	case TypePeerLeft:
		return &PeerLeft{}
	case TypeEvent:
		return &Event{}
	case TypePeerEvent:
		return &PeerEvent{}
	case TypeTabPresence:
		return &TabPresence{}
	case TypeTabLeft:
		return &TabLeft{}
	case TypeNotice:
		return &Notice{}
	}
	return &Error{}
}

func newSync(c *coder) Message {
	switch k := c.readUint(); {
	case c.err != nil:
	case k == syncStep1:
		return &SyncStep1{}
	case k == syncStep2:
		return &SyncStep2{}
	case k == syncUpdate:
		return &SyncUpdate{}
	default:
		c.fail(fmt.Errorf("%w: sync kind %d", ErrUnknownType, k))
	}
	return nil
}
