package dashboard

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// views are the addresses that the page makes up itself: all are index.html.
var views = map[string]bool{"/": true, "/rooms": true, "/room": true, "/functions": true, "/logs": true}

// pages serves the built page. Files with a hash in their name never change;
// index.html may with every build.
func pages(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "only to be read", http.StatusMethodNotAllowed)
			return
		}
		clean := path.Clean("/" + r.URL.Path)
		w.Header().Set("Cache-Control", "no-cache")
		if views[clean] {
			http.ServeFileFS(w, r, files, "index.html")
			return
		}
		if strings.HasPrefix(clean, "/assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, r)
	})
}
