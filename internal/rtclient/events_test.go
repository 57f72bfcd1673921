package rtclient_test

import (
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// events writes every callback into l, and calls those of e that are set.
func (l *log) events(e rtclient.Events) rtclient.Events {
	return rtclient.Events{
		OnUpdate: func(seq uint64, update []byte) {
			l.add(fmt.Sprintf("update %d %v", seq, update))
			if e.OnUpdate != nil {
				e.OnUpdate(seq, update)
			}
		},
		OnAck:        func(id, seq uint64) { l.add(fmt.Sprintf("ack %d as %d", id, seq)) },
		OnRejected:   func(id uint64, err *protocol.Error) { l.add(fmt.Sprintf("rejected %d: %s", id, err.Code)) },
		OnAwareness:  func(update []byte) { l.add(fmt.Sprintf("awareness %v", update)) },
		OnPeerJoined: func(m *protocol.PeerJoined) { l.add("joined " + m.Connection) },
		OnPeerLeft:   func(m *protocol.PeerLeft) { l.add("left " + m.Connection) },
		OnPeerEvent:  func(m *protocol.PeerEvent) { l.add("event " + m.Data + " of " + m.UserID) },
		OnNotice:     func(m *protocol.Notice) { l.add("notice " + m.Code) },
		OnError:      func(m *protocol.Error) { l.add("error " + m.Code.String()) },
		OnWelcome:    func(m *protocol.Welcome) { l.add(fmt.Sprintf("welcome %s through %d", m.Epoch, m.Through)) },
		OnDisconnect: func(err error) {
			var told *protocol.Error
			if errors.As(err, &told) {
				l.add("disconnected: " + told.Code.String())
				return
			}
			l.add("disconnected")
		},
	}
}
