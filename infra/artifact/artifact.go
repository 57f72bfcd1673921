// Package artifact packs the functions' bootstrap files into zip files that are
// the same, byte for byte, wherever they are packed: what is tested is what is
// deployed.
package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// MaxZip is the largest zip file a function may have, in bytes. Lambda allows 50 MB
// for a direct upload; a cold start fetches and unpacks all of it.
const MaxZip = 10 << 20

// epoch is the earliest time a zip file can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Pack writes <zips>/<name>.zip with the one file bootstrap from
// <functions>/<name>/bootstrap and returns its size in bytes. It is an error
// when that is over MaxZip.
func Pack(functions, zips, name string) (int, error) {
	binary, err := os.ReadFile(filepath.Join(functions, name, "bootstrap"))
	if err != nil {
		return 0, fmt.Errorf("artifact: function %s is not built (make functions): %w", name, err)
	}
	if err := isForLambda(binary); err != nil {
		return 0, fmt.Errorf("artifact: %s: %w", name, err)
	}
	packed, err := pack(binary)
	if err != nil {
		return 0, fmt.Errorf("artifact: %s: %w", name, err)
	}
	if len(packed) > MaxZip {
		return len(packed), fmt.Errorf("artifact: %s.zip has %d bytes, at most %d", name, len(packed), MaxZip)
	}
	if err := os.MkdirAll(zips, 0o755); err != nil {
		return 0, fmt.Errorf("artifact: %w", err)
	}
	return len(packed), os.WriteFile(filepath.Join(zips, name+".zip"), packed, 0o644)
}

// isForLambda refuses what would be deployed and then not start: the functions run
// on arm64, and a build for the developer's own machine lies in the same folder.
func isForLambda(binary []byte) error {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("bootstrap is not a Linux program: %w", err)
	}
	if f.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("bootstrap is for %s, not arm64 (make functions ARCH=arm64)", f.Machine)
	}
	return nil
}

func pack(binary []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: epoch}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
