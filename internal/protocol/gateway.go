package protocol

import (
	"encoding/json"
	"strings"
)

// GatewayError is a frame of API Gateway's own: what it sends a client when a
// message could not be handed to a function, or the function failed or took
// too long. It is JSON, not base64: {"message": "Internal server error",
// "connectionId": "...", "requestId": "..."}. It is a kind of ErrNotBase64.
type GatewayError struct{ Message string }

// GatewayThrottled is the Message of a GatewayError for too many requests.
const GatewayThrottled = "Too Many Requests"

// Error implements error.
func (e *GatewayError) Error() string { return "protocol: the gateway says " + e.Message }

// Is makes a GatewayError a kind of ErrNotBase64 and ErrMalformed.
func (e *GatewayError) Is(target error) bool { return target == ErrNotBase64 || target == ErrMalformed }

// gatewayError returns the GatewayError that a frame which is not base64 is,
// nil when it is none.
func gatewayError(frame string) *GatewayError {
	const most = 4 << 10 // theirs have some hundred bytes
	if len(frame) > most || !strings.HasPrefix(frame, "{") {
		return nil
	}
	var e struct {
		Message      string
		ConnectionID string `json:"connectionId"`
	}
	if json.Unmarshal([]byte(frame), &e) != nil || e.Message == "" || e.ConnectionID == "" {
		return nil
	}
	return &GatewayError{Message: e.Message}
}
