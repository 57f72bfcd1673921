package protocol

import "encoding/base64"

// The WebSocket subprotocols: Subprotocol names the protocol and is what the
// server echoes; TokenSubprotocol and the base64url of a token carry the token
// where a browser can put it (docs/PROTOCOL.md, "Connecting").
const (
	Subprotocol      = "symphony.v1"
	TokenSubprotocol = "symphony.token."
)

// Subprotocols returns what a client offers in Sec-WebSocket-Protocol; token
// may be "".
func Subprotocols(token string) []string {
	if token == "" {
		return []string{Subprotocol}
	}
	return []string{Subprotocol, TokenSubprotocol + base64.RawURLEncoding.EncodeToString([]byte(token))}
}
