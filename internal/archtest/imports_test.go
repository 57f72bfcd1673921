package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/symphony-rt/symphony/"

// mayImport says, for each of our packages, which of our others it may import
// in production code. A package that is missing here fails the test: decide
// its place first.
var mayImport = map[string][]string{
	// The standard library only (yjs: plus y-crdt, see thirdParty).
	"internal/protocol": nil,
	"internal/yjs":      nil,
	"internal/gateway":  nil,
	"internal/archtest": nil,

	"internal/lambdaruntime": nil,
	"internal/cost":          nil,
	"internal/collector":     nil,
	"internal/streamsource":  nil,

	// The domain.
	"internal/room": {"internal/protocol", "internal/yjs"},

	// Adapters: the domain and the names of things, never each other.
	"internal/layout":          {"internal/room"},
	"internal/memstore":        {"internal/room"},
	"internal/faultstore":      {"internal/room"},
	"internal/pebblestore":     {"internal/room", "internal/layout"},
	"internal/dynamostore":     {"internal/room", "internal/layout", "internal/awscall"},
	"internal/s3store":         {"internal/room", "internal/layout", "internal/awscall"},
	"internal/apigwsender":     {"internal/room", "internal/awscall"},
	"internal/lambdafanout":    {"internal/room", "internal/awscall"},
	"internal/awscall":         nil,
	"internal/rtclient":        {"internal/protocol", "internal/yjs"},
	"internal/auth":            {"internal/room", "internal/protocol"},
	"internal/config":          {"internal/room"},
	"internal/directory":       {"internal/room"},
	"internal/dynamodirectory": {"internal/room", "internal/layout", "internal/directory"},
	"internal/operate":         {"internal/room", "internal/directory", "internal/yjs"},
	"internal/handler":         {"internal/room", "internal/protocol", "internal/auth"},

	// The load generator and the simulation of quotas.
	"loadtest":          {"internal/protocol", "internal/yjs", "internal/rtclient"},
	"internal/simulate": nil,

	// Helpers of tests only.
	"internal/room/roomtest": {"internal/room", "internal/protocol", "internal/yjs", "internal/faultstore"},
	"internal/awstest":       {"internal/room", "internal/layout", "internal/dynamostore", "internal/s3store"},

	// The dashboard: what it serves, and the ways to know it.
	"dashboard":                 nil,
	"internal/dashboard":        {"internal/room", "internal/directory", "internal/dashboard/series"},
	"internal/dashboard/series": nil,
	"internal/dashboard/probe":  {"internal/room", "internal/protocol", "internal/cost", "internal/dashboard", "internal/dashboard/series"},
	"internal/dashboard/cloud":  {"internal/room", "internal/config", "internal/directory", "internal/cost", "internal/dashboard", "internal/dashboard/series"},
	"internal/dashboard/stage": {"dashboard", "internal/room", "internal/operate", "internal/dashboard", "internal/dashboard/cloud", "internal/dashboard/looking",
		"internal/dynamodirectory", "internal/dynamostore", "internal/s3store"},
	"internal/dashboard/looking": {"internal/room", "internal/operate", "internal/dashboard"},

	// Composition: all of it on one machine.
	"internal/local": {"dashboard", "internal/dashboard", "internal/dashboard/probe", "internal/dashboard/looking", "internal/operate", "internal/room", "internal/config", "internal/auth", "internal/collector", "internal/handler", "internal/gateway", "internal/directory", "internal/dynamodirectory",
		"internal/dynamostore", "internal/s3store", "internal/pebblestore", "internal/lambdaruntime", "internal/streamsource"},

	// Composition: the command line.
	"examples":          nil,
	"internal/scaffold": {"examples"},
	"internal/cli": {"internal/room", "internal/config", "internal/auth", "internal/operate", "internal/local", "internal/scaffold", "internal/cost", "internal/protocol",
		"internal/yjs", "internal/rtclient", "internal/dynamodirectory", "internal/dynamostore", "internal/s3store", "internal/apigwsender", "internal/pebblestore",
		"internal/dashboard", "internal/dashboard/stage", "loadtest"},

	// Composition: what the functions' mains share.
	"internal/compose": {"internal/room", "internal/config", "internal/auth", "internal/handler", "internal/directory", "internal/dynamodirectory",
		"internal/dynamostore", "internal/s3store", "internal/apigwsender", "internal/lambdafanout"},
}

// thirdParty is what the inner packages may import from outside the standard
// library; packages that are not named here may use any module of go.mod.
var thirdParty = map[string][]string{
	"internal/protocol": nil,
	"internal/room":     {"golang.org/x/sync/"},
	"internal/layout":   nil,
	// The independent second opinion on state vectors (VerifyCompaction).
	"internal/yjs": {"github.com/skyterra/y-crdt"},
}

// notInFunctions must not be linked into a Lambda: they cost cold start time
// and have no business there.
var notInFunctions = []string{
	module + "internal/gateway", module + "internal/pebblestore", module + "internal/memstore", module + "internal/faultstore",
	module + "internal/lambdaruntime", module + "internal/streamsource", module + "internal/rtclient", module + "internal/local", module + "infra",
	"github.com/cockroachdb/pebble", "github.com/aws/aws-cdk-go", "github.com/coder/websocket",
}

type pkg struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports,Deps", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	require.NoError(t, err)
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointInwards(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if p.Name == "main" {
			continue // a main may import anything but another main, which Go itself refuses
		}
		allowed, known := mayImport[name]
		if !known {
			if strings.HasPrefix(name, "internal/") {
				t.Errorf("%s has no place in the architecture yet: add it to mayImport", name)
			}
			continue
		}
		outside, limited := thirdParty[name]
		for _, imp := range p.Imports {
			switch ours, isOurs := strings.CutPrefix(imp, module); {
			case isOurs && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s: the rule allows only %v", name, ours, allowed)
			case isOurs || !limited || !strings.Contains(strings.SplitN(imp, "/", 2)[0], "."):
			case !slices.ContainsFunc(outside, func(o string) bool { return strings.HasPrefix(imp, o) }):
				t.Errorf("%s imports %s: the rule allows it %v beside the standard library", name, imp, outside)
			}
		}
	}
}

func TestFunctionsLinkOnlyWhatTheyRun(t *testing.T) {
	functions := 0
	for _, p := range list(t) {
		if !strings.HasPrefix(p.ImportPath, module+"functions/") {
			continue
		}
		functions++
		for _, dep := range p.Deps {
			for _, no := range notInFunctions {
				if dep == no || strings.HasPrefix(dep, no+"/") {
					t.Errorf("%s links %s", p.ImportPath, dep)
				}
			}
		}
	}
	require.GreaterOrEqual(t, functions, 5, "functions/* were found")
}
