package awstest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
)

const (
	dynamoDBLocalFolder = "internal/awstest/dynamodblocal"
	// minJava is what DynamoDB Local 2.x needs
	// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.DownloadingAndRunning.html).
	minJava = 17
)

// DynamoDBEndpoint is the variable that names a DynamoDB Local that runs
// already, to be used instead of one of our own.
const DynamoDBEndpoint = "DYNAMODB_ENDPOINT"

var dynamoDBLocal = &engine{
	name:  "dynamodb-local",
	fetch: fetchDynamoDBLocal,
	command: func(folder, dir string, port int) (*exec.Cmd, error) {
		java, err := findJava()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(java, "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Djava.library.path="+folder, "-cp", filepath.Join(folder, "*"),
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
			"-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
		cmd.Dir = dir
		return cmd, nil
	},
	ready: "/",
}

// fetchDynamoDBLocal lets Maven copy DynamoDB Local and all it depends on, and
// checks every file against the committed list, each time.
func fetchDynamoDBLocal() (string, error) {
	if runtime.GOOS == "linux" && runtime.GOARCH != "amd64" {
		// In memory too it stores in SQLite. Its binding (libsqlite4java) for this
		// processor is in AWS's own download and image only, which no registry has.
		return "", fmt.Errorf("%w: DynamoDB Local's SQLite binding for linux/%s is neither on Maven Central nor in Debian; run AWS's download or image yourself (-inMemory -sharedDb) and say %s=http://127.0.0.1:8000",
			errNowhere, runtime.GOARCH, DynamoDBEndpoint)
	}
	if _, err := findJava(); err != nil {
		return "", err
	}
	list := filepath.Join(dynamoDBLocalFolder, "SHA256SUMS")
	pins := []string{filepath.Join(dynamoDBLocalFolder, "pom.xml"), list}
	folder, err := cached("dynamodb-local", pins, func(root, folder string) error {
		maven, err := lookPath("mvn", "Apache Maven fetches DynamoDB Local")
		if err != nil {
			return err
		}
		cmd := exec.Command(maven, "--batch-mode", "--quiet", "--file", filepath.Join(root, dynamoDBLocalFolder, "pom.xml"),
			"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+folder)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("mvn: %w\n%s", err, out)
		}
		return verify(folder, filepath.Join(root, list))
	})
	if err != nil {
		return "", err
	}
	root, err := top()
	if err != nil {
		return "", err
	}
	return folder, verify(folder, filepath.Join(root, list))
}

var javaVersion = regexp.MustCompile(`version "(\d+)`)

func findJava() (string, error) {
	why := fmt.Sprintf("DynamoDB Local needs Java %d or newer", minJava)
	java, err := lookPath("java", why)
	if err != nil {
		return "", err
	}
	out, err := exec.Command(java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("java -version: %w\n%s", err, out)
	}
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("java -version: no version in %q", out)
	}
	if n, _ := strconv.Atoi(string(m[1])); n < minJava {
		return "", fmt.Errorf("%w: %s, found %d", errMissing, why, n)
	}
	return java, nil
}
