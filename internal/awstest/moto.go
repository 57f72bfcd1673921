package awstest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// motoTools runs the pinned Python tools that check the deployment's template;
// moto is one of them.
const motoTools = "infra/tools/python.sh"

// moto is a mock of AWS. It stands in for what no engine here has:
// CloudFormation, the tagging API, Parameter Store.
var moto = &engine{
	name: "moto",
	fetch: func() (string, error) {
		root, err := top()
		if err != nil {
			return "", err
		}
		cmd := exec.Command(filepath.Join(root, motoTools), "python", "-c", "import moto")
		cmd.Env = append(os.Environ(), RequireAll+"=1") // otherwise it succeeds without
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: Python 3.10 or newer with venv (runs moto): %w\n%s", errMissing, err, out)
		}
		return filepath.Join(root, ".cache", "infra-tools"), nil
	},
	command: func(folder, dir string, port int) (*exec.Cmd, error) {
		cmd := exec.Command(filepath.Join(folder, "bin", "python"), filepath.Join(folder, "bin", "moto_server"), "-H", "127.0.0.1", "-p", strconv.Itoa(port))
		cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1", "AWS_EC2_METADATA_DISABLED=true"}
		cmd.Dir = dir
		return cmd, nil
	},
	ready: "/moto-api/",
}

// Moto returns the URL of moto, a mock and not an engine: what passes on it is
// what the mock's authors know of AWS. It keeps a process's state together, so
// that tests on it choose names of their own.
func Moto(tb testing.TB) string {
	tb.Helper()
	return moto.url(tb)
}
