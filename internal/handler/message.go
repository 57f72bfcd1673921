package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/symphony-rt/symphony/internal/room"
)

// MessageFunction serves $default: one text frame from a client. It is a
// lambda.Handler, and reads of an event only what a message needs: through
// aws-lambda-go's own decoding, which fills every field there is, JSON cost as
// much as everything else that a message does.
type MessageFunction struct{ *Handler }

// Invoke implements lambda.Handler. The answer is a proxy response (status and
// body). The reply travels back as the route response, which costs no call of
// the management API; an empty body sends nothing. A refused message is
// answered with a typed error and status 200: any other status would make API
// Gateway send its own JSON error, which is no frame of our protocol.
func (f MessageFunction) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := readMessageEvent(payload)
	if err != nil {
		return nil, err
	}
	return appendAnswer(nil, f.message(ctx, e)), nil
}

// message returns the frame that answers e, "" for none.
func (h *Handler) message(ctx context.Context, e messageEvent) string {
	reply, err := h.receive(ctx, e)
	if err == nil {
		return string(reply)
	}
	f := faultOf(err)
	level := h.log.Warn
	switch {
	case errors.Is(err, room.ErrGone):
		level = h.log.Info // the client left while it was being answered
	case f.status >= http.StatusInternalServerError:
		level = h.log.Error
	}
	level("message refused", "connection", e.from.Connection, "room", e.from.Room, "user", e.from.User.ID,
		"request", e.requestID, "code", f.code.String(), "error", err)
	switch {
	case len(reply) > 0:
		return string(reply) // a plain client is told in its own protocol
	case !errors.Is(err, room.ErrDisconnected):
		return f.frame(err)
	}
	return ""
}

func (h *Handler) receive(ctx context.Context, e messageEvent) ([]byte, error) {
	if e.base64 {
		return nil, fmt.Errorf("%w: a binary frame", room.ErrMalformed)
	}
	return h.rooms.Receive(ctx, e.from, e.body)
}

// messageEvent is what a message's event says that matters here: fields of
// events.APIGatewayWebsocketProxyRequest.
type messageEvent struct {
	from      room.Origin
	requestID string
	body      string
	base64    bool
}

var errEvent = errors.New("handler: the event is no JSON object")

// readMessageEvent reads an event, which API Gateway wrote: it is JSON, and not
// checked for it a second time. What is missing or of another type is left
// empty, and refused by the room as such.
func readMessageEvent(payload []byte) (messageEvent, error) {
	var e messageEvent
	root := gjson.ParseBytes(payload)
	if !root.IsObject() {
		return e, errEvent
	}
	root.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "requestContext":
			e.readContext(value)
		case "body":
			e.body = value.Str
		case "isBase64Encoded":
			e.base64 = value.Bool()
		}
		return true
	})
	return e, nil
}

func (e *messageEvent) readContext(v gjson.Result) {
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "connectionId":
			e.from.Connection = room.ConnectionID(value.Str)
		case "connectedAt":
			e.from.ConnectedAt = connectedAt(value.Int())
		case "requestId":
			e.requestID = value.Str
		case "authorizer":
			value.ForEach(func(key, value gjson.Result) bool {
				switch key.Str {
				case keyRoom:
					e.from.Room = room.ID(text(value.Value()))
				case keyUser:
					e.from.User.ID = text(value.Value())
				case keyName:
					e.from.User.Name = text(value.Value())
				case keyAccess:
					e.from.Access = room.Access(text(value.Value()))
				}
				return true
			})
		}
		return true
	})
}

// appendAnswer appends a proxy response with status 200.
func appendAnswer(dst []byte, body string) []byte {
	text, _ := json.Marshal(body) // a string
	dst = append(dst, `{"statusCode":200,"body":`...)
	return append(append(dst, text...), '}')
}
