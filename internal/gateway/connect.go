package gateway

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
	"unique"
)

// acceptGUID is appended to the client's key, RFC 6455 section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// serveUpgrade takes one upgrade request from the handshake's checks to the
// running connection. The order of the checks is API Gateway's: the request
// itself, the throttles, the authorizer, the $connect function.
func (g *Gateway) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	if !g.open.begin() {
		g.httpError(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable")
		return
	}
	if !g.upgrade(w, r) {
		g.metrics.refused.Add(1)
		g.open.end()
	}
}

// upgrade reports whether there is now a connection, whose reader calls
// g.open.end; otherwise it has answered the request.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request) bool {
	key, status := checkHandshake(r)
	switch {
	case status != 0:
		g.metrics.fail(ErrorHandshake)
		if status == http.StatusBadRequest {
			w.Header().Set("Sec-WebSocket-Version", "13")
			g.httpError(w, status, "BadRequestException", "Bad Request")
			return false
		}
		g.httpError(w, status, "ForbiddenException", "Forbidden")
		return false
	case len(r.RequestURI) > g.limits.URL:
		g.metrics.fail(ErrorHandshake)
		g.httpError(w, http.StatusRequestURITooLong, "RequestEntityTooLargeException", "Request URI too long")
		return false
	case !g.connects.take():
		g.metrics.fail(ErrorConnectRate)
		g.httpError(w, http.StatusTooManyRequests, "TooManyRequestsException", messageThrottled)
		return false
	case !g.requests.take():
		g.metrics.fail(ErrorThrottled)
		g.httpError(w, http.StatusTooManyRequests, "TooManyRequestsException", messageThrottled)
		return false
	}
	c, fields, err := g.newConn(r)
	if err != nil {
		g.log.Error("cannot make a connection id", "error", err)
		g.httpError(w, http.StatusInternalServerError, "InternalServerErrorException", messageInternal)
		return false
	}
	if denial := g.authorize(c, r, fields); denial != nil {
		c.log().Info("connect refused", "status", denial.status, "cause", denial.cause)
		g.httpError(w, denial.status, denial.kind, denial.message)
		return false
	}
	protocol, denial := g.runConnect(c, fields)
	if denial != nil {
		c.log().Info("connect refused", "status", denial.status, "cause", denial.cause)
		g.httpError(w, denial.status, denial.kind, denial.message)
		return false
	}
	g.establish(c, w, key, protocol)
	return true
}

// denial is an answer other than 101 to an upgrade. kind and message are what
// the client sees, cause what the log says.
type denial struct {
	status        int
	kind, message string
	cause         string
}

// checkHandshake returns the client's key, or a status: 403 when the request is
// no upgrade to WebSocket at all, 400 when it is a broken one (RFC 6455 section
// 4.2.1).
func checkHandshake(r *http.Request) (key string, status int) {
	if r.Method != http.MethodGet || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") {
		return "", http.StatusForbidden
	}
	key = r.Header.Get("Sec-Websocket-Key")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 16 || r.Header.Get("Sec-Websocket-Version") != "13" || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1 {
		return "", http.StatusBadRequest
	}
	return key, 0
}

// hasToken looks for a token in a comma-separated header, in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// newConn makes the connection that r may become.
func (g *Gateway) newConn(r *http.Request) (*conn, requestFields, error) {
	id, err := g.ids.connection()
	if err != nil {
		return nil, requestFields{}, err
	}
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	now := g.clock.Now()
	c := &conn{
		gw: g, id: id, connectedAt: now.UnixMilli(), sourceIP: strings.Clone(ip),
		agent: unique.Make(agent{userAgent: r.UserAgent(), domain: orString(g.config.Domain, r.Host)}),
	}
	c.active.Store(now.UnixNano())
	trace := g.ids.request()
	traceID := fmt.Sprintf("Root=1-%08x-%s", uint32(now.Unix()), hex.EncodeToString(trace[:12]))
	return c, newRequestFields(r, ip, traceID), nil
}

// runConnect runs the $connect function: a status other than 2xx refuses the
// upgrade with it, and the header Sec-WebSocket-Protocol of the answer is the
// subprotocol of the connection. Sources: "Manage connected users and client
// apps: $connect and $disconnect routes"; "Set up a $connect route that
// requires a WebSocket subprotocol"; for failures "Handling Lambda errors with
// an API Gateway API": 502 for a function that failed or answered nonsense,
// 500 for one that could not be run.
func (g *Gateway) runConnect(c *conn, fields requestFields) (protocol string, d *denial) {
	function := g.config.Functions.Connect
	if function == "" {
		return "", nil
	}
	event, err := g.connectEvent(c.event(routeConnect, eventConnect), fields.withoutUpgrade(), "")
	if err != nil {
		return "", &denial{http.StatusInternalServerError, "InternalServerErrorException", messageInternal, err.Error()}
	}
	answer, err := g.invoke(function, event)
	var failed *FunctionError
	switch {
	case errors.Is(err, errTimeout):
		g.metrics.fail(ErrorTimeout)
		return "", &denial{http.StatusGatewayTimeout, "InternalServerErrorException", messageTimeout, err.Error()}
	case errors.As(err, &failed):
		g.metrics.fail(ErrorFunction)
		return "", &denial{http.StatusBadGateway, "InternalServerErrorException", messageInternal, err.Error()}
	case err != nil:
		g.metrics.fail(ErrorFunction)
		return "", &denial{http.StatusInternalServerError, "InternalServerErrorException", messageInternal, err.Error()}
	}
	response, err := parseResponse(answer)
	if err != nil {
		g.metrics.fail(ErrorFunction)
		return "", &denial{http.StatusBadGateway, "InternalServerErrorException", messageInternal, err.Error()}
	}
	if response.Status < 200 || response.Status > 299 {
		return "", &denial{response.Status, "", http.StatusText(response.Status), "the $connect function said so"}
	}
	return response.header("Sec-WebSocket-Protocol"), nil
}

// establish answers the upgrade and starts the connection. From here on the
// connection exists, even if the client is gone already: $connect has run, so
// $disconnect will.
func (g *Gateway) establish(c *conn, w http.ResponseWriter, key, protocol string) {
	g.metrics.connects.Add(1)
	netConn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		c.log().Error("cannot take over the connection", "error", err)
		g.httpError(w, http.StatusInternalServerError, "InternalServerErrorException", messageInternal)
		g.disconnected(c, closeAbnormal, reasonAbnormal)
		return
	}
	_ = netConn.SetDeadline(time.Time{}) // the HTTP server's are over
	lead, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	c.sock.start(netConn, lead)
	sum := sha1.Sum([]byte(key + acceptGUID))
	response := append(make([]byte, 0, 256), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	response = base64.StdEncoding.AppendEncode(response, sum[:])
	response = append(response, "\r\n"...)
	if protocol != "" {
		response = append(response, "Sec-WebSocket-Protocol: "+headerValue.Replace(protocol)+"\r\n"...)
	}
	response = append(response, "\r\n"...)
	// Posts are possible from the moment the client may know that it is
	// connected; the first of them waits behind the answer.
	c.mu.Lock()
	g.conns.add(c)
	c.enqueue(outFrame{raw: true, data: response})
	c.mu.Unlock()
	if g.isDown() {
		c.close(closeGoingAway, reasonGoingAway)
	}
	c.log().Debug("connected", "sourceIp", c.sourceIP)
	go c.serve()
}

// headerValue keeps a function from writing more than one header.
var headerValue = strings.NewReplacer("\r", "", "\n", "")

func (g *Gateway) isDown() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.down
}
