package rtclient

import (
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// plain handles the messages of y-protocols that only plain clients need. A
// Symphony client may get updates without a number between its connect and its
// hello; they were stored before the hello was read and are in the catch-up.
func (c *Client) plain(l *link, m protocol.Message) error {
	if c.opt.Mode != Plain {
		return nil
	}
	switch m := m.(type) {
	case *protocol.SyncStep1:
		return c.answerStep1(l, m)
	case *protocol.SyncStep2:
		return c.step2(l, m)
	case *protocol.SyncUpdate:
		return c.take(0, m.Update)
	case *protocol.Auth:
		call(c.opt.Events.OnError, &protocol.Error{Code: protocol.CodeDenied, Text: m.Reason})
	}
	return nil
}

// answerStep1 answers the server's step 1 with what it lacks (y-protocols
// sync.js, readSyncStep1). Without a document that is nothing.
func (c *Client) answerStep1(l *link, m *protocol.SyncStep1) error {
	update := []byte{0, 0}
	if c.opt.Document != nil {
		diff, err := c.opt.Document.Diff(m.StateVector)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDocument, err)
		}
		if !isEmptyUpdate(diff) {
			update = diff
		}
	}
	pieces, err := c.pieces(update)
	if err != nil {
		return err
	}
	for _, piece := range pieces[:len(pieces)-1] {
		if err := c.write(l, &protocol.SyncUpdate{Update: piece}); err != nil {
			return err
		}
	}
	return c.write(l, &protocol.SyncStep2{Update: pieces[len(pieces)-1]})
}

// pieces cuts an update so that each piece fits a message.
func (c *Client) pieces(update []byte) ([][]byte, error) {
	most := c.opt.MaxMessage - protocol.MaxHeader
	if len(update) <= most {
		return [][]byte{update}, nil
	}
	pieces, err := yjs.Split(update, most)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return pieces, nil
}

// step2 is the answer to this client's step 1: now it has everything.
func (c *Client) step2(l *link, m *protocol.SyncStep2) error {
	if err := c.take(0, m.Update); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.promote(l)
	c.synced = l == c.link
	c.notify()
	return nil
}
