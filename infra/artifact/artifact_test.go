package artifact_test

import (
	"archive/zip"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/artifact"
	"github.com/symphony-rt/symphony/infra/stack"
)

// build builds a function of the module in root as the Makefile does.
func build(t *testing.T, root, out, name, arch string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		"-o", filepath.Join(out, name, "bootstrap"), "./functions/"+name)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
}

// The flags above are the Makefile's: what is tested is what is deployed.
func TestFlagsAreTheMakefiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	require.NoError(t, err)
	require.Contains(t, string(text), "CGO_ENABLED=0 $(GO) build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o $@ ./functions/$*")
}

// Every function fits, and says how large it is.
func TestSizes(t *testing.T) {
	out, zips := t.TempDir(), t.TempDir()
	for _, name := range stack.FunctionNames {
		build(t, filepath.Join("..", ".."), out, name, "arm64")
		size, err := artifact.Pack(out, zips, name)
		require.NoError(t, err)
		require.LessOrEqual(t, size, artifact.MaxZip)
		t.Logf("%-12s %5.1f MB zipped", name, float64(size)/(1<<20))
		r, err := zip.OpenReader(filepath.Join(zips, name+".zip"))
		require.NoError(t, err)
		require.Len(t, r.File, 1)
		require.Equal(t, "bootstrap", r.File[0].Name)
		require.Equal(t, os.FileMode(0o755), r.File[0].Mode().Perm(), "Lambda starts it")
		require.NoError(t, r.Close())
	}
}

// The same source gives the same bytes wherever it lies and whenever it is built.
func TestReproducible(t *testing.T) {
	const name = "connect"
	var sums [2][32]byte
	for i := range sums {
		root := filepath.Join(t.TempDir(), strings.Repeat("elsewhere", i+1))
		copySources(t, filepath.Join("..", ".."), root)
		out, zips := t.TempDir(), t.TempDir()
		build(t, root, out, name, "arm64")
		_, err := artifact.Pack(out, zips, name)
		require.NoError(t, err)
		packed, err := os.ReadFile(filepath.Join(zips, name+".zip"))
		require.NoError(t, err)
		sums[i] = sha256.Sum256(packed)
	}
	require.Equal(t, sums[0], sums[1])
}

// copySources copies the module's Go files and what they embed.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		copyFile(t, filepath.Join(from, name), filepath.Join(to, name))
	}
	for _, folder := range []string{"functions", "internal"} {
		err := filepath.WalkDir(filepath.Join(from, folder), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if err == nil && d.Name() == "node_modules" {
					return filepath.SkipDir
				}
				return err
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			rel, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			copyFile(t, path, filepath.Join(to, rel))
			return nil
		})
		require.NoError(t, err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.Create(to)
	require.NoError(t, err)
	defer out.Close()
	_, err = io.Copy(out, in)
	require.NoError(t, err)
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name, "bootstrap"), data, 0o755))
}

func TestRefused(t *testing.T) {
	out, zips := t.TempDir(), t.TempDir()
	_, err := artifact.Pack(out, zips, "connect")
	require.ErrorContains(t, err, "make functions")
	write(t, out, "connect", []byte("#!/bin/sh\n"))
	_, err = artifact.Pack(out, zips, "connect")
	require.ErrorContains(t, err, "not a Linux program")
	build(t, filepath.Join("..", ".."), out, "authorize", "amd64")
	_, err = artifact.Pack(out, zips, "authorize")
	require.ErrorContains(t, err, "not arm64")

	// Too large by noise, which does not compress.
	build(t, filepath.Join("..", ".."), out, "authorize", "arm64")
	binary, err := os.ReadFile(filepath.Join(out, "authorize", "bootstrap"))
	require.NoError(t, err)
	noise := make([]byte, artifact.MaxZip)
	state := uint64(1)
	for i := range noise {
		state = state*6364136223846793005 + 1442695040888963407
		noise[i] = byte(state >> 56)
	}
	write(t, out, "authorize", append(binary, noise...))
	_, err = artifact.Pack(out, zips, "authorize")
	require.ErrorContains(t, err, "at most")
	_, err = os.Stat(filepath.Join(zips, "authorize.zip"))
	require.ErrorIs(t, err, os.ErrNotExist, "nothing that is refused is there to be deployed")
}
