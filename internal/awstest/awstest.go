// Package awstest gives tests the AWS services of Symphony as engines that
// somebody else wrote:
//
//   - DynamoDB is AWS's own DynamoDB Local (com.amazonaws:DynamoDBLocal from
//     Maven Central, see dynamodblocal/pom.xml), in memory, run by the
//     machine's Java 17 or newer. It has streams and transactions, and checks
//     expressions and item sizes as the service does.
//   - S3 is versitygw (Apache-2.0, see versitygw/go.mod). Of the engines that
//     install from a registry it is the one that verifies signatures, signed
//     headers and expiry of presigned URLs, checks SHA-256 checksums, and has
//     conditional writes and versioning. Adobe S3Mock and s3proxy take any
//     presigned URL, moto stands in for S3 in the same Python process that
//     LocalStack is built on, and MinIO is under the AGPL.
//   - LocalStack 4.14.0 has both, and runs from PyPI without Docker.
//
// Engines are fetched once into .cache at the top of the repository (pinned
// and checked by hash), start on ports the operating system chooses, and stop
// with the test process. A package that uses them says
//
//	func TestMain(m *testing.M) { awstest.Main(m) }
//
// and calls Stacks, then NewTable and NewBucket for names nobody else uses.
package awstest

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// RequireAll is the variable that turns a missing tool from a skip into a failure.
const RequireAll = "SYMPHONY_REQUIRE_ALL"

// The region and credentials the engines are started with. DynamoDB Local
// takes letters and digits only.
const (
	Region    = "us-east-1"
	AccessKey = "test"
	SecretKey = "test"
)

// Stack is a DynamoDB and an S3 to test on.
type Stack struct {
	Name string
	// DynamoDB and S3 are the URLs of the two engines. DynamoDB serves the
	// table's streams too.
	DynamoDB, S3 string
	// MaxRoom is the longest room id, in bytes, that fits the S3 engine, 0 for
	// room.MaxIDBytes.
	MaxRoom int
	// Schedules is how many orders of steps roomtest is to run of each of its
	// scenarios.
	Schedules int
}

// Config is the SDK configuration for one of the engines' URLs.
func Config(endpoint string) aws.Config {
	return aws.Config{
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
		BaseEndpoint: aws.String(endpoint),
	}
}

// Main runs the tests and stops the engines they started. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	stopAll()
	os.Exit(code)
}

// Engines returns DynamoDB Local and versitygw, started if they are not yet.
// The test is skipped, loudly, when the machine has no Java or Maven, and
// fails instead when RequireAll is set; where there is nothing to install
// (linux/arm64), it is skipped even then.
func Engines(tb testing.TB) Stack {
	tb.Helper()
	return Stack{Name: "engines", DynamoDB: DynamoDB(tb), S3: S3(tb), MaxRoom: versityGWMaxRoom, Schedules: 6}
}

// Stacks returns every stack the adapters are tested on.
func Stacks(tb testing.TB) []Stack {
	tb.Helper()
	return []Stack{Engines(tb), LocalStack(tb)}
}

// DynamoDB returns the URL of DynamoDB Local: the one DYNAMODB_ENDPOINT names,
// or one of our own.
func DynamoDB(tb testing.TB) string {
	tb.Helper()
	if endpoint := os.Getenv(DynamoDBEndpoint); endpoint != "" {
		return endpoint
	}
	return dynamoDBLocal.url(tb)
}

// S3 returns the URL of versitygw.
func S3(tb testing.TB) string {
	tb.Helper()
	return versityGW.url(tb)
}

// missing skips or fails the test for want of a tool.
func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv(RequireAll) == "1" {
		tb.Fatalf("%s (%s=1)", text, RequireAll)
	}
	tb.Skipf("SKIPPED, NOT PROVEN HERE: %s", text)
}

// name returns a table or bucket name nobody else uses: both allow lowercase
// letters, digits and '-', 3 to 63 characters.
func name(prefix string) string {
	return prefix + "-" + strings.ToLower(rand.Text())
}
