package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page of somebody else in the same browser, or a name of theirs that means
// 127.0.0.1 (DNS rebinding), gets nothing.
func TestOnlyTheDashboardItselfIsAnswered(t *testing.T) {
	w := newWorld(t)
	_, port, _ := strings.Cut(w.listener.Addr().String(), ":")
	for name, c := range map[string]struct {
		change func(r *http.Request)
		status int
	}{
		"as it is":              {func(*http.Request) {}, 200},
		"localhost":             {func(r *http.Request) { r.Host = "localhost:" + port }, 200},
		"own origin":            {func(r *http.Request) { r.Header.Set("Origin", w.base()) }, 200},
		"same-origin":           {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
		"typed":                 {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 200},
		"another name":          {func(r *http.Request) { r.Host = "rebound.example:" + port }, 403},
		"another port":          {func(r *http.Request) { r.Host = "127.0.0.1:1" }, 403},
		"no port":               {func(r *http.Request) { r.Host = "127.0.0.1" }, 403},
		"a name that begins so": {func(r *http.Request) { r.Host = "127.0.0.1.example:" + port }, 403},
		"another origin":        {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"opaque origin":         {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"https of the same":     {func(r *http.Request) { r.Header.Set("Origin", "https://127.0.0.1:"+port) }, 403},
		"another port's page":   {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8787") }, 403},
		"cross-site":            {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"same-site":             {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
	} {
		status, body, h := w.do(http.MethodGet, "/api/now", "", c.change)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		require.Empty(t, h.Get("Access-Control-Allow-Origin"), name)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'", name)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), name)
	}
	status, _, _ := w.do(http.MethodOptions, "/api/room/delete", "", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	require.Equal(t, 403, status, "a preflight")
}

func TestOtherMachinesAreRefused(t *testing.T) {
	g := newGuard("8788", "")
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8788/api/now", nil)
	for addr, refused := range map[string]bool{"127.0.0.1:5": false, "[::1]:5": false, "192.168.1.9:5": true, "nonsense": true} {
		r.RemoteAddr = addr
		require.Equal(t, refused, g.refuse(r) != "", addr)
	}
}

func acts(w *world, r *http.Request) {
	r.Header.Set("Origin", w.base())
	r.Header.Set(changeHeader, "1")
}

func TestReadOnlyRefusesToAct(t *testing.T) {
	w := newWorld(t)
	w.Catalog.Put(entry("plan", 1, 3, noon), noon)
	status, body, _ := w.do(http.MethodPost, "/api/room/delete", `{"room":"plan","confirm":"plan"}`, func(r *http.Request) { acts(w, r) })
	require.Equal(t, 403, status)
	require.Contains(t, body, "--allow-changes")
	require.Empty(t, w.rooms.deleted)
	status, body, _ = w.do(http.MethodPost, "/api/room/verify", `{"room":"plan"}`, func(r *http.Request) { acts(w, r) })
	require.Equal(t, 200, status, body)
	require.NotContains(t, w.URL(), "token")
}

func TestDeleteWantsTokenOriginHeaderAndName(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Info.Changes = true })
	w.Catalog.Put(entry("plan", 1, 3, noon), noon)
	cookie := &http.Cookie{Name: w.guard.cookie, Value: w.guard.token}
	good := `{"room":"plan","confirm":"plan"}`
	for name, c := range map[string]struct {
		body   string
		change func(r *http.Request)
		status int
	}{
		"no cookie":      {good, func(r *http.Request) { acts(w, r) }, 401},
		"wrong cookie":   {good, func(r *http.Request) { acts(w, r); r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "x"}) }, 401},
		"no header":      {good, func(r *http.Request) { r.Header.Set("Origin", w.base()); r.AddCookie(cookie) }, 403},
		"no origin":      {good, func(r *http.Request) { r.Header.Set(changeHeader, "1"); r.AddCookie(cookie) }, 403},
		"name not typed": {`{"room":"plan"}`, func(r *http.Request) { acts(w, r); r.AddCookie(cookie) }, 400},
		"another name":   {`{"room":"plan","confirm":"Plan"}`, func(r *http.Request) { acts(w, r); r.AddCookie(cookie) }, 400},
		"no JSON":        {`plan`, func(r *http.Request) { acts(w, r); r.AddCookie(cookie) }, 400},
	} {
		status, body, _ := w.do(http.MethodPost, "/api/room/delete", c.body, c.change)
		require.Equal(t, c.status, status, "%s: %s", name, body)
	}
	require.Empty(t, w.rooms.deleted)
	status, body, _ := w.do(http.MethodPost, "/api/room/delete", good, func(r *http.Request) { acts(w, r); r.AddCookie(cookie) })
	require.Equal(t, 200, status, body)
	require.Len(t, w.rooms.deleted, 1)
	require.Zero(t, w.Catalog.Totals(noon).Rooms)
}

// The token of the printed URL becomes a cookie and leaves the address.
func TestTokenBecomesACookie(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Private = true })
	require.Contains(t, w.URL(), "?token="+w.guard.token)
	status, _, _ := w.do(http.MethodGet, "/api/now", "", nil)
	require.Equal(t, 401, status)
	status, body, _ := w.do(http.MethodGet, "/", "", nil)
	require.Equal(t, 200, status, "the page itself holds nothing")
	require.Contains(t, body, "page")

	status, _, h := w.do(http.MethodGet, "/room?id=a%20b&token="+w.guard.token, "", nil)
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/room?id=a+b", h.Get("Location"))
	set := h.Get("Set-Cookie")
	require.Contains(t, set, "HttpOnly")
	require.Contains(t, set, "SameSite=Strict")
	status, _, _ = w.do(http.MethodGet, "/api/now", "", func(r *http.Request) { r.Header.Set("Cookie", strings.Split(set, ";")[0]) })
	require.Equal(t, 200, status)

	_, _, h = w.do(http.MethodGet, "//evil.example/?token=wrong", "", nil)
	require.Empty(t, h.Get("Set-Cookie"))
	require.False(t, strings.HasPrefix(h.Get("Location"), "//"), h.Get("Location"))
}
