package awstest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// top finds the repository's folder from a test's, which is the package's.
func top() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(b, []byte("module github.com/symphony-rt/symphony\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("awstest: not inside the repository")
		}
		dir = parent
	}
}

// cached returns the folder .cache/engines/name-<hash of pins>, which make
// fills the first time. Several test processes may ask at once: one makes it,
// the others wait. A folder is either complete or absent.
func cached(name string, pins []string, make func(root, folder string) error) (string, error) {
	root, err := top()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, pin := range pins {
		b, err := os.ReadFile(filepath.Join(root, pin))
		if err != nil {
			return "", err
		}
		h.Write(b)
	}
	cache := filepath.Join(root, ".cache", "engines")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(cache, name+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	folder := filepath.Join(cache, name+"-"+hex.EncodeToString(h.Sum(nil))[:12])
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	part, err := os.MkdirTemp(cache, name+"-part-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(part)
	if err := make(root, part); err != nil {
		return "", err
	}
	return folder, os.Rename(part, folder)
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// verify checks that folder has exactly the files of a sha256sum(1) list, with
// their contents.
func verify(folder, list string) error {
	f, err := os.Open(list)
	if err != nil {
		return err
	}
	defer f.Close()
	want := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, file, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return fmt.Errorf("awstest: %s: not a line of sha256sum: %q", list, lines.Text())
		}
		want[file] = sum
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		sum, err := hashFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		if want[entry.Name()] != sum {
			return fmt.Errorf("awstest: %s has SHA-256 %s, pinned is %q", entry.Name(), sum, want[entry.Name()])
		}
		delete(want, entry.Name())
	}
	if len(want) > 0 {
		return fmt.Errorf("awstest: %d pinned files were not fetched: %v", len(want), want)
	}
	return nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
