package auth

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

var (
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

func policy(t *testing.T) *HS256 {
	t.Helper()
	h, err := NewHS256(secret, fixedClock(now))
	require.NoError(t, err)
	return h
}

func sign(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	require.NoError(t, err)
	return s
}

func TestTokenNamesUserAndRooms(t *testing.T) {
	h := policy(t)
	token, err := h.Sign(room.User{ID: "ada", Name: "Ada"}, map[string]room.Access{
		"plan": room.AccessWrite, "team-*": room.AccessRead, "team-a*": room.AccessWrite, "a*b": room.AccessWrite,
	}, now.Add(time.Hour))
	require.NoError(t, err)
	for id, want := range map[room.ID]room.Access{
		"plan": room.AccessWrite, "team-b": room.AccessRead, "team-": room.AccessRead,
		"team-a1": room.AccessWrite, "a*b": room.AccessWrite,
		"plan2": "", "other": "", "axb": "",
	} {
		g, err := h.Authorize(token, id)
		if want == "" {
			require.ErrorIs(t, err, ErrForbidden, id)
			continue
		}
		require.NoError(t, err, id)
		require.Equal(t, Grant{User: room.User{ID: "ada", Name: "Ada"}, Access: want}, g, id)
	}
}

func TestListOfRoomsGrantsWriting(t *testing.T) {
	token := sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "ada", "rooms": []string{"plan", "x-*"}})
	for _, id := range []room.ID{"plan", "x-1"} {
		g, err := policy(t).Authorize(token, id)
		require.NoError(t, err)
		require.Equal(t, room.AccessWrite, g.Access)
	}
}

func TestTokensThatProveNothing(t *testing.T) {
	ok := jwt.MapClaims{"sub": "ada", "rooms": []string{"*"}}
	with := func(k string, v any) jwt.MapClaims {
		c := jwt.MapClaims{}
		for k, v := range ok {
			c[k] = v
		}
		c[k] = v
		return c
	}
	good := sign(t, jwt.SigningMethodHS256, secret, ok)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"none given":   "",
		"not a token":  "hello",
		"other key":    sign(t, jwt.SigningMethodHS256, []byte("ffffffffffffffffffffffffffffffff"), ok),
		"alg none":     sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, ok),
		"alg HS512":    sign(t, jwt.SigningMethodHS512, secret, ok),
		"no signature": parts[0] + "." + parts[1] + ".",
		"expired":      sign(t, jwt.SigningMethodHS256, secret, with("exp", now.Add(-time.Minute).Unix())),
		"not yet":      sign(t, jwt.SigningMethodHS256, secret, with("nbf", now.Add(time.Minute).Unix())),
		"no user":      sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"rooms": []string{"*"}}),
		"bad access":   sign(t, jwt.SigningMethodHS256, secret, with("rooms", map[string]string{"*": "own"})),
		"bad rooms":    sign(t, jwt.SigningMethodHS256, secret, with("rooms", 7)),
	} {
		_, err := policy(t).Authorize(token, "plan")
		require.ErrorIs(t, err, ErrToken, name)
	}
	_, err := policy(t).Authorize(sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "ada"}), "plan")
	require.ErrorIs(t, err, ErrForbidden, "no rooms claim")
	_, err = policy(t).Authorize(good, "plan")
	require.NoError(t, err)
}

func TestShortSecretIsRefused(t *testing.T) {
	_, err := NewHS256([]byte("short"), fixedClock(now))
	require.ErrorContains(t, err, "at least 32")
}

func TestTokenFromSubprotocols(t *testing.T) {
	encoded := base64.RawURLEncoding.EncodeToString([]byte("a.b.c"))
	for header, want := range map[string][2]string{
		"":                                      {"", ""},
		"symphony.v1":                           {"", "symphony.v1"},
		"symphony.v1, symphony.token.a.b.c":     {"a.b.c", "symphony.v1"},
		"symphony.token.a.b.c,symphony.v1":      {"a.b.c", "symphony.v1"},
		"symphony.v1,symphony.token." + encoded: {"a.b.c", "symphony.v1"},
		"symphony.token.a.b.c":                  {"a.b.c", "symphony.token.a.b.c"},
		"graphql-ws":                            {"", ""},
	} {
		token, answer := FromSubprotocols(header)
		require.Equal(t, want, [2]string{token, answer}, header)
	}
}
