package dashboard

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// The page shows what the developer's own credentials can read, so it is for
// the developer's own browser only. A web page of anybody else that is open in
// the same browser can send requests to 127.0.0.1 too; what it cannot do is lie
// about Host and Origin. Host is checked on every request, which also ends DNS
// rebinding (a name of the attacker's that suddenly means 127.0.0.1); Origin and
// Sec-Fetch-Site wherever the browser sends them; no CORS header is ever sent.

// contentPolicy lets the page load its own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// changeHeader is on every request that acts. A form or a link of another page
// cannot set it, and fetch may not without asking first, which is refused.
const changeHeader = "X-Symphony-Dashboard"

// guard is who may ask.
type guard struct {
	hosts map[string]bool
	// token is what the printed URL carries; "" lets every program of this
	// machine read.
	token  string
	cookie string
}

func newGuard(port, token string) guard {
	g := guard{hosts: map[string]bool{}, token: token, cookie: "symphony-dashboard-" + port}
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		g.hosts[net.JoinHostPort(host, port)] = true
		if port == "80" {
			g.hosts[host] = true
		}
	}
	return g
}

func (g guard) ownOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == "http" && g.hosts[u.Host]
}

// refuse returns why the request is not answered, "" when it is.
func (g guard) refuse(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return "the dashboard answers this machine only"
	}
	if !g.hosts[r.Host] {
		return fmt.Sprintf("the dashboard has no name but 127.0.0.1 and localhost, so not %q", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" && !g.ownOrigin(origin) {
		return "asked by a page that is not the dashboard"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); isAPI(r) && site != "" && site != "same-origin" && site != "none" {
		return "asked by a page that is not the dashboard"
	}
	return ""
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// known says whether the request has the token, when there is one.
func (g guard) known(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	c, err := r.Cookie(g.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(g.token)) == 1
}

// acting says whether the request may act: sent by the page itself.
func (g guard) acting(r *http.Request) bool {
	return r.Header.Get(changeHeader) != "" && g.ownOrigin(r.Header.Get("Origin")) && g.known(r)
}

// admit wraps the handler.
func (g guard) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if why := g.refuse(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		if g.login(w, r) {
			return
		}
		if isAPI(r) && !g.known(r) {
			writeProblem(w, http.StatusUnauthorized, "Open the link that the terminal printed: it carries the key to this page.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// login turns the token of the printed URL into a cookie and takes it out of
// the address, where it would be copied along.
func (g guard) login(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	given := query.Get("token")
	if given == "" || g.token == "" || isAPI(r) || r.Method != http.MethodGet {
		return false
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(g.token)) == 1 {
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
	query.Del("token")
	// Only the path and the query: never to another host.
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/\\"), RawQuery: query.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return true
}
