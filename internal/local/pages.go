package local

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// examples are the pages beside the whiteboard, each at /<name>/ from
// examples/<name>/dist when it is built.
var examples = []string{"notes", "editors"}

// pages serves the built page at /, the examples at their names, and the health
// check at /healthz.
func pages(dir, exampleDir string, healthy func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /", page(dir, "whiteboard"))
	for _, name := range examples {
		at := "/" + name + "/"
		mux.Handle("GET "+at, http.StripPrefix(strings.TrimSuffix(at, "/"), page(exampleFolder(exampleDir, name), name)))
	}
	return mux
}

func exampleFolder(dir, name string) string { return filepath.Join(dir, name, "dist") }

// built says whether a folder has a page in it.
func built(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "index.html"))
	return err == nil
}

// page serves a folder that Vite built; target is what makes it.
func page(dir, target string) http.Handler {
	root := os.DirFS(dir)
	files := http.FileServerFS(root)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		if _, err := fs.Stat(root, "index.html"); err != nil {
			http.Error(w, "The page is not built yet: run `make "+target+"`. The WebSocket works without it.", http.StatusNotFound)
			return
		}
		// Vite puts a hash into the names under assets/, so those never change.
		if strings.HasPrefix(name, "assets/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		files.ServeHTTP(w, r)
	})
}
