package rtclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// maxEarly bounds what is kept until the welcome of a connection arrives.
const maxEarly = 1024

// link is one connection. Fields below mu of the Client are guarded by it.
type link struct {
	conn  *websocket.Conn
	since time.Time

	// ready is set by the welcome, or at once in plain mode.
	ready bool
	// early are broadcasts that came before the welcome: only it tells from
	// which epoch they are.
	early []protocol.Message
	// helloBy is when the welcome must have come; aliveBy when some answer to
	// a probe must have come (zero: nothing is awaited).
	helloBy, aliveBy time.Time
	// writing counts the writes under way; writeBy is when one must have ended.
	writing int
	writeBy time.Time
	// hellos counts the hellos sent; again is set when the server asked to say hello again at helloBy.
	hellos int
	again  bool
	// fetching counts downloads under way; held is how far the client has
	// everything once they are there; failed, that one of them never came.
	fetching int
	held     uint64
	failed   bool
	// lacks: a snapshot could not be had, so the welcome under way does not count;
	// lacked, that this connection has said hello again for it.
	lacks, lacked bool
	// catchUp are the pieces before the welcome, kept only for a Document.
	catchUp [][]byte
	// cause is why this side gave the connection up, nil when it did not.
	cause error
}

// dial opens a connection. Errors are a DialError when there was an HTTP
// answer.
func (c *Client) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Times.DialTimeout)
	defer cancel()
	target, subprotocols, err := c.target(ctx)
	if err != nil {
		return nil, err
	}
	conn, resp, err := websocket.Dial(ctx, target, &websocket.DialOptions{
		HTTPClient: c.opt.HTTPClient, Subprotocols: subprotocols,
	})
	if err != nil {
		if resp != nil && resp.StatusCode != 101 {
			return nil, &DialError{Status: resp.StatusCode, Err: err}
		}
		return nil, fmt.Errorf("rtclient: %w", err)
	}
	conn.SetReadLimit(protocol.MaxPost)
	return &link{conn: conn, since: c.opt.Clock.Now(), ready: c.opt.Mode == Plain}, nil
}

// target returns the URL and subprotocols of the next connection.
func (c *Client) target(ctx context.Context) (string, []string, error) {
	u := *c.url
	query := u.Query()
	if c.opt.Room != "" {
		query.Set("room", c.opt.Room)
	}
	token := ""
	if c.opt.Token != nil {
		var err error
		if token, err = c.opt.Token(ctx); err != nil {
			return "", nil, fmt.Errorf("rtclient: token: %w", err)
		}
	}
	subprotocols := protocol.Subprotocols(token)
	if c.opt.TokenInQuery {
		subprotocols = protocol.Subprotocols("")
		if token != "" {
			query.Set("token", token)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), subprotocols, nil
}

// parseURL accepts ws, wss, http and https.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("rtclient: %w", err)
	}
	if !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) || u.Host == "" {
		return nil, fmt.Errorf("rtclient: %q is not a ws, wss, http or https URL", s)
	}
	return u, nil
}

// frames holds encoded frames while they are written, texts received ones
// until they are decoded: an idle client owns neither.
var (
	frames = sync.Pool{New: func() any { return new([]byte) }}
	texts  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// write sends one message, as several WebSocket frames when it does not fit
// one. A failed write gives the connection up, so that its reader ends. So does
// one that takes too long, which the client's timer sees: a context with a
// deadline for each would cost a quarter of a short write.
func (c *Client) write(l *link, m protocol.Message) error {
	buf := frames.Get().(*[]byte)
	defer frames.Put(buf)
	*buf = protocol.AppendFrame((*buf)[:0], m)
	c.watchWrite(l, 1)
	err := writeText(context.Background(), l.conn, *buf)
	c.watchWrite(l, -1)
	if err != nil {
		c.abandon(l, err)
		return fmt.Errorf("rtclient: %w", err)
	}
	return nil
}

// watchWrite notes that a write begins (1) or has ended (-1).
func (c *Client) watchWrite(l *link, change int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.writing += change
	if l.writeBy = (time.Time{}); l.writing > 0 {
		l.writeBy = c.opt.Clock.Now().Add(c.opt.Times.WriteTime)
		c.arm(l.writeBy)
	}
}

func writeText(ctx context.Context, conn *websocket.Conn, text []byte) error {
	if len(text) <= maxFramePayload {
		return conn.Write(ctx, websocket.MessageText, text)
	}
	w, err := conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for piece := range slices.Chunk(text, maxFramePayload) {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return w.Close()
}

// abandon cuts a connection for a reason of this side.
func (c *Client) abandon(l *link, cause error) {
	c.mu.Lock()
	if l.cause == nil {
		l.cause = cause
	}
	c.mu.Unlock()
	_ = l.conn.CloseNow()
}

// maxFramePayload leaves room for the header of a masked frame (RFC 6455
// section 5.2: at most 14 bytes).
const maxFramePayload = protocol.MaxFrame - 14

// run greets the server and handles what arrives until the connection ends.
// Its goroutine was counted in readers.
func (c *Client) run(l *link) {
	defer c.readers.Done()
	if !c.adopt(l) {
		_ = l.conn.CloseNow()
		return
	}
	err := c.greet(l)
	for err == nil {
		err = c.readOne(l)
	}
	_ = l.conn.CloseNow()
	c.down(l, err)
}

func (c *Client) readOne(l *link) error {
	kind, r, err := l.conn.Reader(context.Background())
	if err != nil {
		return fmt.Errorf("rtclient: %w", err)
	}
	if kind != websocket.MessageText {
		return errors.New("rtclient: the server sent a binary frame")
	}
	m, err := decodeFrom(r)
	if errors.Is(err, protocol.ErrUnknownType) {
		return nil // of a later version, not for this client
	}
	var gateway *protocol.GatewayError
	if errors.As(err, &gateway) {
		return c.gatewayFailed(l, gateway.Message)
	}
	if err != nil {
		return err
	}
	return c.handle(l, m)
}

func decodeFrom(r io.Reader) (protocol.Message, error) {
	text := texts.Get().(*bytes.Buffer)
	defer texts.Put(text)
	text.Reset()
	if _, err := text.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("rtclient: %w", err)
	}
	return protocol.DecodeServerFrame(text.Bytes())
}
