// Package scaffold makes new projects: a template's sources, the packed client,
// and what ties them together. Templates are the examples themselves; only the
// blank one is its own.
package scaffold

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/symphony-rt/symphony/examples"
)

//go:embed blank
var blank embed.FS

//go:embed client
var packed embed.FS

var (
	// ErrNoClient: the program was built without the packed client.
	ErrNoClient = errors.New("this symphony was built without the packed client")
	// ErrExists: the folder is there and not empty.
	ErrExists = errors.New("the folder exists and is not empty")
	// ErrName: the project's name cannot be that of a package.
	ErrName = errors.New("not a name for a project")
)

// Template is one kind of project.
type Template struct {
	Name, Short string
	files       fs.FS
}

// Templates returns all there are.
func Templates() []Template {
	sub := func(f fs.FS, dir string) fs.FS {
		s, err := fs.Sub(f, dir)
		if err != nil {
			panic(err) // the name is a constant
		}
		return s
	}
	return []Template{
		{"whiteboard", "a whiteboard: pen, shapes, cursors, undo (TypeScript, no framework)", sub(examples.Sources, "whiteboard")},
		{"notes", "notes people write together (React and CodeMirror)", sub(examples.Sources, "notes")},
		{"blank", "a shared list in one file, to begin from (TypeScript, no framework)", sub(blank, "blank")},
	}
}

// Find returns the template of that name.
func Find(name string) (Template, bool) {
	all := Templates()
	i := slices.IndexFunc(all, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, false
	}
	return all[i], true
}

// Name is the last element of a folder's path if it can be a project's: npm
// wants lower case letters, digits, '-', '_' and '.', not beginning with the
// last two, and at most 214 of them.
func Name(folder string) (string, error) {
	name := filepath.Base(filepath.Clean(folder))
	switch {
	case !validName.MatchString(name):
		return "", fmt.Errorf("%w: %q has to begin with a letter or a digit, and to have lower case letters, digits, '-', '_' and '.' only", ErrName, name)
	case len(name) > maxName:
		return "", fmt.Errorf("%w: %q has more than %d characters", ErrName, name, maxName)
	case name == "node_modules" || name == "favicon.ico":
		return "", fmt.Errorf("%w: npm forbids %q", ErrName, name)
	}
	return name, nil
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

const maxName = 214

// Client returns the packed client and its file name; ErrNoClient when the
// program has none.
func Client() (name string, data []byte, err error) {
	found, err := fs.Glob(packed, "client/*.tgz")
	if err != nil {
		return "", nil, err
	}
	if len(found) == 0 {
		return "", nil, ErrNoClient
	}
	data, err = packed.ReadFile(found[0])
	return path.Base(found[0]), data, err
}

// Create makes a project of t in folder, which must not exist or be empty.
// What it has written is removed again when it fails.
func Create(folder string, t Template) (err error) {
	name, err := Name(folder)
	if err != nil {
		return err
	}
	client, data, err := Client()
	if err != nil {
		return err
	}
	files, err := render(t, name, client)
	if err != nil {
		return err
	}
	files["vendor/"+client] = data
	created, err := claim(folder)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, discard(folder, files, created))
		}
	}()
	for name, data := range files {
		if err := write(filepath.Join(folder, filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	return nil
}

// claim makes sure that folder exists and is empty, and says whether it made it.
func claim(folder string) (created bool, err error) {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, os.MkdirAll(folder, 0o755)
	case err != nil:
		return false, err
	case len(entries) > 0:
		return false, fmt.Errorf("%w: %s", ErrExists, folder)
	}
	return false, nil
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func discard(folder string, files map[string][]byte, created bool) error {
	if created {
		return os.RemoveAll(folder)
	}
	var errs []error
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		errs = append(errs, os.RemoveAll(filepath.Join(folder, top)))
	}
	return errors.Join(errs...)
}

// render returns the project's files by their slash-separated names.
func render(t Template, name, client string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(t.files, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(t.files, file)
		if err != nil {
			return err
		}
		files[file] = bytes.ReplaceAll(data, []byte("{{title}}"), []byte(name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if files["package.json"], err = packageJSON(files["package.json"], name, client); err != nil {
		return nil, fmt.Errorf("the template %s: %w", t.Name, err)
	}
	files["vite.config.ts"] = []byte(viteConfig(t))
	files["tsconfig.json"] = []byte(tsconfig)
	if files["src/env.d.ts"] == nil {
		files["src/env.d.ts"] = []byte(envTypes)
	}
	files[".gitignore"] = []byte(gitignore)
	files["README.md"] = []byte(readme(t, name))
	return files, nil
}

// packageJSON makes an example's package.json that of a project of its own.
func packageJSON(data []byte, name, client string) ([]byte, error) {
	var was struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal(data, &was); err != nil {
		return nil, err
	}
	if _, ok := was.Dependencies["@symphony-rt/client"]; !ok {
		return nil, errors.New("its package.json does not depend on the client")
	}
	dependencies, dev := map[string]string{}, map[string]string{}
	for n, v := range peers {
		dependencies[n] = v
	}
	for n, v := range was.Dependencies {
		dependencies[n] = v
	}
	dependencies["@symphony-rt/client"] = "file:vendor/" + client
	for n, v := range was.DevDependencies {
		if n != "vitest" { // an example's own tests stay with it
			dev[n] = v
		}
	}
	for n, v := range tools {
		if dev[n] == "" {
			dev[n] = v
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // the scripts have "&&"
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Name            string            `json:"name"`
		Private         bool              `json:"private"`
		Version         string            `json:"version"`
		Type            string            `json:"type"`
		Scripts         scripts           `json:"scripts"`
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}{name, true, "0.0.0", "module", scripts{"vite", "tsc --noEmit && vite build", "vite preview"}, dependencies, dev})
	return out.Bytes(), err
}

type scripts struct {
	Dev     string `json:"dev"`
	Build   string `json:"build"`
	Preview string `json:"preview"`
}
