package auth

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/symphony-rt/symphony/internal/room"
)

// MinSecretBytes: RFC 7518 section 3.2 wants an HS256 key of at least the hash's size.
const MinSecretBytes = 32

// clockLeeway forgives clocks that disagree between the app's server and AWS.
const clockLeeway = 30 * time.Second

// HS256 accepts JSON Web Tokens (RFC 7519) signed with HMAC-SHA256. Claims:
//
//	sub    user id, required
//	name   shown to others, optional
//	rooms  a list of room ids ["a", "team-*"], or an object of room id to
//	       access {"a": "write", "team-*": "read"}; a trailing * matches any
//	       rest, "*" every room; required
//	exp, nbf, iat as in the RFC, with 30 s of leeway
type HS256 struct {
	secret []byte
	parser *jwt.Parser
}

// NewHS256 returns the policy for secret, which must have MinSecretBytes.
func NewHS256(secret []byte, clock room.Clock) (*HS256, error) {
	if len(secret) < MinSecretBytes {
		return nil, fmt.Errorf("auth: the secret has %d bytes, HS256 wants at least %d", len(secret), MinSecretBytes)
	}
	return &HS256{secret: secret, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithTimeFunc(clock.Now),
		jwt.WithLeeway(clockLeeway),
		jwt.WithIssuedAt(),
	)}, nil
}

type claims struct {
	jwt.RegisteredClaims
	Name  string `json:"name,omitempty"`
	Rooms rooms  `json:"rooms"`
}

// Authorize implements Policy.
func (h *HS256) Authorize(token string, id room.ID) (Grant, error) {
	if token == "" {
		return Grant{}, fmt.Errorf("%w: none was given", ErrToken)
	}
	var c claims
	if _, err := h.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return h.secret, nil }); err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if c.Subject == "" {
		return Grant{}, fmt.Errorf("%w: it names no user (sub)", ErrToken)
	}
	access, ok := c.Rooms.access(id)
	if !ok {
		return Grant{}, ErrForbidden
	}
	return Grant{User: room.User{ID: c.Subject, Name: c.Name}, Access: access}, nil
}

// Sign makes a token HS256 accepts: for `symphony token`, tests and examples.
// A zero expiry makes one that does not expire.
func (h *HS256) Sign(user room.User, access map[string]room.Access, expires time.Time) (string, error) {
	c := claims{RegisteredClaims: jwt.RegisteredClaims{Subject: user.ID}, Name: user.Name, Rooms: access}
	if !expires.IsZero() {
		c.ExpiresAt = jwt.NewNumericDate(expires)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(h.secret)
}

// rooms maps room ids and "prefix*" patterns to access.
type rooms map[string]room.Access

// UnmarshalJSON reads both forms of the claim.
func (r *rooms) UnmarshalJSON(b []byte) error {
	*r = rooms{}
	var list []string
	if json.Unmarshal(b, &list) == nil {
		for _, p := range list {
			(*r)[p] = room.AccessWrite
		}
		return nil
	}
	var m map[string]room.Access
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("rooms: neither a list of room ids nor an object of room id to access")
	}
	for p, a := range m {
		if a != room.AccessWrite && a != room.AccessRead {
			return fmt.Errorf("rooms: access %q of %q is neither %q nor %q", a, p, room.AccessWrite, room.AccessRead)
		}
		(*r)[p] = a
	}
	return nil
}

// access returns the exact entry's access, else that of the longest pattern.
func (r rooms) access(id room.ID) (room.Access, bool) {
	if a, ok := r[string(id)]; ok {
		return a, true
	}
	var best string
	var found room.Access
	for p, a := range r {
		prefix, isPattern := strings.CutSuffix(p, "*")
		if isPattern && strings.HasPrefix(string(id), prefix) && (found == "" || len(p) > len(best)) {
			best, found = p, a
		}
	}
	return found, found != ""
}
