package handler

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/room"
)

// The keys of the authorizer's context. API Gateway hands it back in
// requestContext.authorizer of every later event of the connection, so a
// message needs no look-up to know its sender:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
const (
	keyRoom   = "room"
	keyUser   = "user"
	keyName   = "name"
	keyAccess = "access"
)

// The query parameters of the connection URL (docs/PROTOCOL.md, "Connecting").
const (
	queryRoom  = "room"
	queryToken = "token"
)

// origin reads who sent an event. authorized is false when no authorizer ran.
func origin(rc events.APIGatewayWebsocketProxyRequestContext) (from room.Origin, authorized bool) {
	from = room.Origin{Connection: room.ConnectionID(rc.ConnectionID), ConnectedAt: connectedAt(rc.ConnectedAt)}
	context, _ := rc.Authorizer.(map[string]any)
	from.Room = room.ID(text(context[keyRoom]))
	from.User = room.User{ID: text(context[keyUser]), Name: text(context[keyName])}
	from.Access = room.Access(text(context[keyAccess]))
	return from, from.Room != ""
}

// connectedAt is when a connection was opened, from an event's Unix
// milliseconds; the zero time when there are none.
func connectedAt(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// text reads a context value; API Gateway turns every value into a string, an
// emulator may leave numbers and booleans as they are.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// header finds a header whatever its case: API Gateway passes names through as
// the client wrote them.
func header(headers map[string]string, multi map[string][]string, name string) string {
	want := http.CanonicalHeaderKey(name)
	for k, v := range headers {
		if http.CanonicalHeaderKey(k) == want {
			return v
		}
	}
	for k, v := range multi {
		if http.CanonicalHeaderKey(k) == want && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
