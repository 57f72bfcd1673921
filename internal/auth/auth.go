// Package auth decides, once per connection, who a client is and what it may
// do in the room it asks for. Two policies: Open (everybody may write, for a
// laptop) and HS256 (a signed token names the user and the rooms).
package auth

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// Grant is what a connection gets: its user and its access to the one room.
type Grant struct {
	User   room.User
	Access room.Access
}

// Policy turns a token (or "") and the room asked for into a Grant.
type Policy interface {
	// Authorize returns ErrToken when the token is missing, expired, forged or
	// not understood, ErrForbidden when it is good but not for this room.
	Authorize(token string, id room.ID) (Grant, error)
}

var (
	// ErrToken: no token, or one that does not prove anything.
	ErrToken = errors.New("auth: no valid token")
	// ErrForbidden: the token is valid but names other rooms.
	ErrForbidden = errors.New("auth: not allowed in this room")
)

// Open lets everybody write as an anonymous user. It is for local development;
// `cdk deploy` refuses to use it without being told to.
type Open struct{}

// Authorize implements Policy.
func (Open) Authorize(string, room.ID) (Grant, error) {
	return Grant{Access: room.AccessWrite}, nil
}

// FromSubprotocols returns the token among the offered subprotocols (the value
// of Sec-WebSocket-Protocol, comma separated; RFC 6455 section 11.3.4), and
// the subprotocol to answer with: browsers fail a connection whose offer is
// not answered. Both are "" when nothing was offered.
func FromSubprotocols(header string) (token, answer string) {
	for _, p := range strings.Split(header, ",") {
		p = strings.TrimSpace(p)
		switch {
		case p == "":
		case p == protocol.Subprotocol:
			answer = p
		case strings.HasPrefix(p, protocol.TokenSubprotocol):
			if token == "" {
				token = decodeToken(strings.TrimPrefix(p, protocol.TokenSubprotocol))
			}
			if answer == "" {
				answer = p
			}
		}
	}
	return token, answer
}

// decodeToken accepts the token as it is (a JWT has only characters a
// subprotocol may have) or base64url-encoded.
func decodeToken(s string) string {
	if strings.Count(s, ".") == 2 {
		return s
	}
	if b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "=")); err == nil {
		return string(b)
	}
	return s
}
