package gateway

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The events have the fields, and as far as it matters the order, of those
// recorded from AWS: aws-lambda-go's events/testdata/apigw-websocket-request*.
// "apigateway-websocket-api-integration-requests" and the mapping template
// reference describe the fields of requestContext.

// Routes and event types.
const (
	routeConnect    = "$connect"
	routeDefault    = "$default"
	routeDisconnect = "$disconnect"

	eventConnect    = "CONNECT"
	eventMessage    = "MESSAGE"
	eventDisconnect = "DISCONNECT"
)

// requestTimeLayout is requestContext.requestTime, "20/Jan/2024:11:55:08 +0000".
const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// eventBase is what the requestContext of every event says.
type eventBase struct {
	route, kind      string
	requestID        [idLength]byte
	messageID        [idLength]byte // MESSAGE only
	at               time.Time
	conn             *conn
	disconnectCode   int // DISCONNECT only
	disconnectReason string
}

// event starts an event of c, with a new request id.
func (c *conn) event(route, kind string) *eventBase {
	return &eventBase{route: route, kind: kind, requestID: c.gw.ids.request(), at: c.gw.clock.Now(), conn: c}
}

// appendContext appends the value of requestContext.
func (g *Gateway) appendContext(dst []byte, e *eventBase) []byte {
	agent := e.conn.agent.Value()
	dst = append(dst, `{"routeKey":"`...)
	dst = append(dst, e.route...)
	dst = append(dst, '"')
	if e.kind == eventDisconnect {
		dst = append(dst, `,"disconnectStatusCode":`...)
		dst = strconv.AppendInt(dst, int64(e.disconnectCode), 10)
	}
	if e.conn.authorizer != "" {
		dst = append(dst, `,"authorizer":`...)
		dst = append(dst, e.conn.authorizer...)
	}
	if e.kind == eventMessage {
		dst = append(dst, `,"messageId":"`...)
		dst = append(dst, e.messageID[:]...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"eventType":"`...)
	dst = append(dst, e.kind...)
	dst = append(dst, `","extendedRequestId":"`...)
	dst = append(dst, e.requestID[:]...)
	dst = append(dst, `","requestTime":"`...)
	dst = e.at.UTC().AppendFormat(dst, requestTimeLayout)
	dst = append(dst, `","messageDirection":"IN"`...)
	if e.kind == eventDisconnect {
		dst = append(dst, `,"disconnectReason":`...)
		dst = appendJSON(dst, e.disconnectReason)
	}
	dst = append(dst, `,"stage":"`...)
	dst = append(dst, g.config.Stage...)
	dst = append(dst, `","connectedAt":`...)
	dst = strconv.AppendInt(dst, e.conn.connectedAt, 10)
	dst = append(dst, `,"requestTimeEpoch":`...)
	dst = strconv.AppendInt(dst, e.at.UnixMilli(), 10)
	dst = append(dst, `,"identity":{`...)
	if agent.userAgent != "" {
		dst = append(dst, `"userAgent":`...)
		dst = appendJSON(dst, agent.userAgent)
		dst = append(dst, ',')
	}
	dst = append(dst, `"sourceIp":`...)
	dst = appendJSON(dst, e.conn.sourceIP)
	dst = append(dst, `},"requestId":"`...)
	dst = append(dst, e.requestID[:]...)
	dst = append(dst, `","domainName":`...)
	dst = appendJSON(dst, agent.domain)
	dst = append(dst, `,"connectionId":"`...)
	dst = append(dst, e.conn.id...)
	dst = append(dst, `","apiId":`...)
	dst = appendJSON(dst, g.config.APIID)
	return append(dst, '}')
}

// appendMessageEvent appends the event of one message.
func (g *Gateway) appendMessageEvent(dst []byte, e *eventBase, body []byte) []byte {
	dst = append(dst, '{')
	dst = append(dst, g.stageVariables...)
	dst = append(dst, `"requestContext":`...)
	dst = g.appendContext(dst, e)
	dst = append(dst, `,"body":`...)
	dst = appendJSON(dst, body)
	return append(dst, `,"isBase64Encoded":false}`...)
}

// disconnectEvent returns the event of a $disconnect. Its headers are those of
// AWS's, which has no request to take any from.
func (g *Gateway) disconnectEvent(e *eventBase) []byte {
	domain := e.conn.agent.Value().domain
	dst := append(make([]byte, 0, 1024), `{"headers":{"Host":`...)
	dst = appendJSON(dst, domain)
	dst = append(dst, `,"x-api-key":"","X-Forwarded-For":"","x-restapi":""},"multiValueHeaders":{"Host":[`...)
	dst = appendJSON(dst, domain)
	dst = append(dst, `],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},`...)
	dst = append(dst, g.stageVariables...)
	dst = append(dst, `"requestContext":`...)
	dst = g.appendContext(dst, e)
	return append(dst, `,"isBase64Encoded":false}`...)
}

// requestFields are the parts of an event that come from the upgrade request.
type requestFields struct {
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
}

// connectEvent returns the event of $connect, or of its authorizer when
// methodARN is not empty.
func (g *Gateway) connectEvent(e *eventBase, fields requestFields, methodARN string) ([]byte, error) {
	var dst []byte
	if methodARN != "" {
		dst = append(dst, `{"type":"REQUEST","methodArn":`...)
		dst = appendJSON(dst, methodARN)
		dst = append(dst, ',')
	} else {
		dst = append(dst, '{')
	}
	request, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	dst = append(dst, request[1:len(request)-1]...)
	dst = append(dst, ',')
	if methodARN != "" && len(g.stageVariables) == 0 {
		dst = append(dst, `"stageVariables":{},`...)
	}
	dst = append(dst, g.stageVariables...)
	dst = append(dst, `"requestContext":`...)
	dst = g.appendContext(dst, e)
	if methodARN != "" {
		return append(dst, '}'), nil
	}
	return append(dst, `,"isBase64Encoded":false}`...), nil
}

// newRequestFields reads r the way API Gateway shows it to a function: the
// last value of each header and parameter, and all of them.
func newRequestFields(r *http.Request, sourceIP, traceID string) requestFields {
	f := requestFields{Headers: map[string]string{}, MultiValueHeaders: map[string][]string{}}
	set := func(name string, values ...string) {
		f.Headers[name] = values[len(values)-1]
		f.MultiValueHeaders[name] = values
	}
	for name, values := range r.Header {
		if len(values) > 0 {
			set(headerName(name), values...)
		}
	}
	set("Host", r.Host)
	set("X-Amzn-Trace-Id", traceID)
	forwarded := sourceIP
	if before := r.Header.Get("X-Forwarded-For"); before != "" {
		forwarded = before + ", " + sourceIP
	}
	set("X-Forwarded-For", forwarded)
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	set("X-Forwarded-Port", port)
	set("X-Forwarded-Proto", "http")
	if query := parseQuery(r.URL.RawQuery); len(query) > 0 {
		f.MultiValueQuery = query
		f.Query = make(map[string]string, len(query))
		for name, values := range query {
			f.Query[name] = values[len(values)-1]
		}
	}
	return f
}

// parseQuery is url.ParseQuery that keeps what it could read of a broken query.
func parseQuery(raw string) url.Values {
	values, _ := url.ParseQuery(raw)
	return values
}

// withoutUpgrade leaves out the two hop-by-hop headers that the authorizer sees
// and $connect does not.
func (f requestFields) withoutUpgrade() requestFields {
	g := f
	g.Headers = make(map[string]string, len(f.Headers))
	g.MultiValueHeaders = make(map[string][]string, len(f.MultiValueHeaders))
	for name, values := range f.MultiValueHeaders {
		if name != "Connection" && name != "Upgrade" {
			g.Headers[name], g.MultiValueHeaders[name] = f.Headers[name], values
		}
	}
	return g
}

// headerName undoes Go's spelling of the one family of headers that AWS's
// events spell as clients do.
func headerName(canonical string) string {
	if rest, ok := strings.CutPrefix(canonical, "Sec-Websocket-"); ok {
		return "Sec-WebSocket-" + rest
	}
	return canonical
}

// appendJSON appends s as a JSON string. Invalid UTF-8 becomes U+FFFD, as in
// encoding/json; nothing else is escaped that need not be.
func appendJSON[S []byte | string](dst []byte, s S) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		} else {
			dst = append(dst, s[start:i]...)
			switch b {
			case '"', '\\':
				dst = append(dst, '\\', b)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xF])
			}
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
