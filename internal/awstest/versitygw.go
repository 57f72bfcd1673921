package awstest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const (
	versityGWFolder = "internal/awstest/versitygw"
	// versityGWMaxRoom: it keeps objects as files, whose names have at most 255
	// bytes between two slashes, and a room id may take three for each of its
	// own. S3 has no such limit.
	versityGWMaxRoom = 255 / 3
)

var versityGW = &engine{
	name:  "versitygw",
	fetch: fetchVersityGW,
	command: func(folder, dir string, port int) (*exec.Cmd, error) {
		objects, versions, meta := filepath.Join(dir, "objects"), filepath.Join(dir, "versions"), filepath.Join(dir, "meta")
		for _, d := range []string{objects, versions, meta} {
			if err := os.Mkdir(d, 0o755); err != nil {
				return nil, err
			}
		}
		// Its metadata beside the objects: extended attributes are not on every
		// file system that holds temporary files.
		cmd := exec.Command(filepath.Join(folder, "versitygw"), "--quiet", "--keep-alive",
			"--port", "127.0.0.1:"+strconv.Itoa(port), "--region", Region, "--health", "/healthz",
			"posix", "--versioning-dir", versions, "--sidecar", meta, objects)
		cmd.Env = []string{"ROOT_ACCESS_KEY_ID=" + AccessKey, "ROOT_SECRET_ACCESS_KEY=" + SecretKey, "TMPDIR=" + dir}
		cmd.Dir = dir
		return cmd, nil
	},
	ready: "/healthz",
}

// fetchVersityGW builds versitygw from its module, pinned by go.sum.
func fetchVersityGW() (string, error) {
	pins := []string{filepath.Join(versityGWFolder, "go.mod"), filepath.Join(versityGWFolder, "go.sum")}
	return cached("versitygw", pins, func(root, folder string) error {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
			"-o", filepath.Join(folder, "versitygw"), "github.com/versity/versitygw/cmd/versitygw")
		cmd.Dir = filepath.Join(root, versityGWFolder)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
		return nil
	})
}
