// Package dashboard carries the built page of `symphony dashboard`, made by
// `make dashboard` from the TypeScript beside this file. A binary built without
// it still serves everything else, and says how to get the page.
package dashboard

import (
	"embed"
	"io/fs"
)

// app lies one folder down, so that the bundler may empty it without touching
// the page that is there when nothing was built.
const app = "dist/app"

//go:embed all:dist
var dist embed.FS

// Page returns the files of the page, index.html among them; built is false
// when they are only the note that says how to build them.
func Page() (files fs.FS, built bool) {
	return page(dist)
}

func page(all fs.FS) (files fs.FS, built bool) {
	if _, err := fs.Stat(all, app+"/index.html"); err == nil {
		files, err = fs.Sub(all, app)
		if err == nil {
			return files, true
		}
	}
	files, err := fs.Sub(all, "dist/unbuilt")
	if err != nil {
		return all, false
	}
	return files, false
}
