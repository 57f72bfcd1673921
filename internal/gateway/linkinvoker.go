package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
)

// LinkInvoker is the gateway's end: an Invoker of the backend's functions.
type LinkInvoker struct{ link *link }

// DialLink connects gateway process number to the backend's Links at address.
// gateway is asked for when the backend posts, which is not before a
// connection was made there.
func DialLink(ctx context.Context, address, secret string, number uint16, gateway func() *Gateway) (*LinkInvoker, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := newLink(conn, func(_ context.Context, kind byte, body []byte) []byte { return gateway().serveLink(kind, body) })
	if err := l.send(linkHello, uint64(number), []byte(secret)); err != nil {
		return nil, err
	}
	go l.read(bufio.NewReaderSize(conn, linkBuffer))
	return &LinkInvoker{l}, nil
}

// Done is closed when the backend is gone.
func (i *LinkInvoker) Done() <-chan struct{} { return i.link.ctx.Done() }

// Close ends the link.
func (i *LinkInvoker) Close() { i.link.fail(net.ErrClosed) }

// Invoke implements Invoker.
func (i *LinkInvoker) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	if len(function) > 255 || len(payload) > maxPayload {
		return nil, fmt.Errorf("%w: invoking %q with %d bytes", ErrTooLarge, function, len(payload))
	}
	body, err := i.link.call(ctx, linkInvoke, []byte{byte(len(function))}, []byte(function), payload)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, errBatch
	}
	switch body[0] {
	case invokedOK:
		return body[1:], nil
	case invokedFailed:
		var failed invokeError
		if err := json.Unmarshal(body[1:], &failed); err != nil {
			return nil, errBatch
		}
		return nil, &FunctionError{Type: failed.Type, Message: failed.Message}
	default:
		return nil, fmt.Errorf("gateway: invoking %q: %s", function, body[1:])
	}
}

// serveLink runs a request of the backend.
func (g *Gateway) serveLink(kind byte, body []byte) []byte {
	switch kind {
	case linkPost:
		ids, data, err := parseBatch(body)
		if err != nil {
			return nil
		}
		answer := make([]byte, 0, 2*len(ids))
		for _, id := range ids {
			answer = binary.BigEndian.AppendUint16(answer, uint16(statusOf(g.postHere(id, data))))
		}
		return answer
	case linkClose:
		return binary.BigEndian.AppendUint16(nil, uint16(statusOf(g.closeHere(string(body)))))
	}
	return nil
}
