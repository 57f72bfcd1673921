package stack_test

import (
	"archive/zip"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
)

// update writes testdata anew: `make synth-update`. Read the difference.
var update = flag.Bool("update", false, "write testdata anew")

// contexts are the deployments that the tests look at, as `-c` says them.
var contexts = map[string]map[string]string{
	"dev": {"auth": "open"},
	"prod": {
		"stage": "prod", "secretParameter": "/symphony/prod/secret", "alarmEmail": "ops@example.com",
		"domain":      "rooms.example.com",
		"certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
		"zone":        "Z00000000000000000000",
		"secretKey":   "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000",
		"rate":        "20000", "burst": "9000", "reserved.message": "800", "reserved.checkpoint": "5",
		"origins": "https://a.example.com,https://b.example.com", "logDays": "90",
	},
	"bare": {
		"stage": "dev-bare", "auth": "open", "rate": "0", "burst": "0",
		"accessLogs": "false", "tracing": "false", "alarms": "false", "dashboard": "false",
	},
}

// deployment is one of contexts, synthesized.
type deployment struct {
	stack    *stack.Stack
	template assertions.Template
	body     template
}

// template is what of a CloudFormation template the tests read.
type template struct {
	Resources map[string]*resource
	Outputs   map[string]any
}

type resource struct {
	Type                string
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           any
}

var (
	lock   sync.Mutex
	made   = map[string]*deployment{}
	assets string
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "symphony-infra")
	if err != nil {
		panic(err)
	}
	assets = dir
	code := m.Run()
	jsii.Close()
	os.RemoveAll(dir)
	os.Exit(code)
}

// deployed synthesizes a deployment once for the whole process: jsii takes
// seconds for each.
func deployed(t *testing.T, name string) *deployment {
	t.Helper()
	lock.Lock()
	defer lock.Unlock()
	if d := made[name]; d != nil {
		return d
	}
	context, ok := contexts[name]
	require.True(t, ok, name)
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(assets, "out-"+name)), AnalyticsReporting: jsii.Bool(false)})
	s := stack.New(app, options(t, context))
	s.AddNag()
	d := &deployment{stack: s, template: assertions.Template_FromStack(s.Root, nil)}
	raw, err := json.Marshal(d.template.ToJSON())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &d.body))
	made[name] = d
	return d
}

// options parses context; its assets are zip files that hold nothing to speak of.
func options(t *testing.T, context map[string]string) stack.Options {
	t.Helper()
	for _, name := range stack.FunctionNames {
		path := filepath.Join(assets, name+".zip")
		if _, err := os.Stat(path); err == nil {
			continue
		}
		f, err := os.Create(path)
		require.NoError(t, err)
		w := zip.NewWriter(f)
		_, err = w.Create("bootstrap")
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, f.Close())
	}
	all := map[string]any{"assets": assets}
	for key, value := range context {
		all[key] = value
	}
	o, err := stack.ParseOptions(all)
	require.NoError(t, err)
	return o
}

// all returns the resources of a type by logical id.
func (d *deployment) all(kind string) map[string]*resource {
	found := map[string]*resource{}
	for id, r := range d.body.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// one returns the only resource of a type whose id begins so.
func (d *deployment) one(t *testing.T, kind, prefix string) *resource {
	t.Helper()
	var found *resource
	for id, r := range d.all(kind) {
		if strings.HasPrefix(id, prefix) {
			require.Nil(t, found, "two of %s %s", kind, prefix)
			found = r
		}
	}
	require.NotNil(t, found, "no %s %s", kind, prefix)
	return found
}

// dig follows keys through a template's objects and lists.
func dig(t *testing.T, v any, keys ...any) any {
	t.Helper()
	for _, key := range keys {
		switch k := key.(type) {
		case string:
			object, ok := v.(map[string]any)
			require.True(t, ok, "%v: not an object at %q", keys, k)
			v = object[k]
		case int:
			list, ok := v.([]any)
			require.True(t, ok && k < len(list), "%v: no item %d", keys, k)
			v = list[k]
		}
	}
	return v
}
