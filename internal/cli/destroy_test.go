package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// fakeCloud is an AWS account with one stage.
type fakeCloud struct {
	stage           string
	gone, protected bool
	objects         int
	left            [][]string // what each question by tag answers; the last one stays
	fail            error
	secretGone      bool
	emptied         bool
}

func (f *fakeCloud) Describe(_ context.Context, stage string) (awsStage, error) {
	if f.gone || stage != f.stage {
		return awsStage{}, hint(fmt.Errorf("%w: %s in region eu-central-1", errNoStage, stage), "Deploy it first.")
	}
	return awsStage{stage: stage, name: "stage " + stage + " in eu-central-1", table: "symphony-" + stage, bucket: "symphony-" + stage + "-rooms", ws: "wss://x/" + stage, status: "UPDATE_COMPLETE"}, nil
}

func (f *fakeCloud) Resources(context.Context, string) ([]resource, error) {
	return []resource{{"AWS::Lambda::Function", "a"}, {"AWS::Lambda::Function", "b"}, {"AWS::S3::Bucket", "c"}, {"AWS::DynamoDB::Table", "d"}}, nil
}
func (f *fakeCloud) Protected(context.Context, string) (bool, error) { return f.protected, nil }
func (f *fakeCloud) Unprotect(context.Context, string) error         { f.protected = false; return nil }
func (f *fakeCloud) Empty(_ context.Context, _ string, progress func(int)) error {
	progress(f.objects)
	f.emptied = true
	return nil
}

func (f *fakeCloud) Delete(_ context.Context, _ string, progress func(string)) error {
	if f.fail != nil {
		return f.fail
	}
	progress("deleted  AWS::Lambda::Function  Message")
	f.gone = true
	return nil
}
func (f *fakeCloud) DeleteSecret(context.Context, string) error { f.secretGone = true; return nil }
func (f *fakeCloud) Tagged(context.Context, string) ([]string, error) {
	now := f.left[0]
	if len(f.left) > 1 {
		f.left = f.left[1:]
	}
	return now, nil
}
func (f *fakeCloud) Rooms(context.Context, awsStage) (operate.Rooms, error) { return fakeRooms{}, nil }

// fakeRooms are two rooms, one of them with a name that is no file's.
type fakeRooms struct{ operate.Rooms }

func (fakeRooms) Names(context.Context) ([]room.ID, error) {
	return []room.ID{"../plan", "board", "deleted"}, nil
}

func (fakeRooms) Export(_ context.Context, id room.ID, _ operate.Point) (operate.Export, error) {
	if id == "deleted" {
		return operate.Export{}, operate.ErrNoRoom
	}
	return operate.Export{Update: []byte(id), Seq: 1}, nil
}

// P35, N10: asks first, removes everything, and looks whether anything is left.
func TestDestroy(t *testing.T) {
	x := newTerminal(t)
	cloud := &fakeCloud{stage: "dev", objects: 42, left: [][]string{{"arn:aws:dynamodb:::table/symphony-dev"}, {}}}
	x.app.Cloud = cloud
	x.run("", "destroy", "--stage", "staging")
	x.run("", "destroy")
	x.app.Interactive = true
	x.run("no\n", "destroy")
	require.False(t, cloud.gone || cloud.emptied, "nothing happens without the stage's name")
	x.run("dev\n", "destroy", "--export", "rooms")
	require.True(t, cloud.gone && cloud.emptied && cloud.secretGone)
	entries, err := os.ReadDir(filepath.Join(x.home, "rooms"))
	require.NoError(t, err)
	require.Len(t, entries, 2, "no name escapes the folder")
	x.golden()
}

func TestDestroyWhatDoesNotGo(t *testing.T) {
	x := newTerminal(t)
	x.app.Cloud = &fakeCloud{stage: "prod", protected: true}
	x.run("", "destroy", "--stage", "prod", "--yes")
	kept := &fakeCloud{stage: "prod"}
	x.app.Cloud = kept
	x.run("", "destroy", "--stage", "prod", "--yes")
	require.True(t, kept.gone)
	require.False(t, kept.emptied || kept.secretGone, "a stage that stays keeps its data")
	x.app.Cloud = &fakeCloud{stage: "dev", fail: errors.New("AWS::S3::Bucket Rooms: the bucket is not empty")}
	x.run("", "destroy", "--yes")
	x.app.Cloud = &fakeCloud{stage: "dev", left: [][]string{{"arn:aws:logs:::symphony-dev"}}}
	x.run("", "destroy", "--yes")
	x.app.Cloud = &fakeCloud{stage: "dev", gone: true, left: [][]string{{"arn:aws:logs:::symphony-dev"}}}
	x.run("", "destroy", "--yes")
	x.golden()
}

// P33: the URL goes where the app reads it, and nothing else there is touched.
func TestDeployedWritesTheURL(t *testing.T) {
	x := newTerminal(t)
	name := filepath.Join(x.home, envFile)
	app := x.app
	var out, errs stringWriter
	app.Out, app.Err = &out, &errs
	require.NoError(t, app.deployed(deployed{Stage: "dev", URL: "wss://one/dev"}, false))
	require.NoFileExists(t, name, "there is no app here")
	require.NoError(t, os.WriteFile(filepath.Join(x.home, "package.json"), []byte("{}"), 0o600))
	require.NoError(t, os.WriteFile(name, []byte("OTHER=1\nVITE_SYMPHONY_URL=wss://old\nLAST=2"), 0o600))
	out = ""
	require.NoError(t, app.deployed(deployed{Stage: "dev", Region: "eu-central-1", URL: "wss://two/dev"}, true))
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "OTHER=1\nLAST=2\nVITE_SYMPHONY_URL=wss://two/dev\n", string(data))
	var d deployed
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Equal(t, "wss://two/dev", d.URL)
}

type stringWriter string

func (s *stringWriter) Write(p []byte) (int, error) { *s += stringWriter(p); return len(p), nil }

func TestFileNames(t *testing.T) {
	seen := map[string]room.ID{}
	long := room.ID(make([]byte, 256))
	for _, id := range []room.ID{"a", "A/b", "a%2Fb", "a/b", "..", ".", "ä", long, long[1:]} {
		name := fileName(id)
		require.NotContains(t, name, "/")
		require.LessOrEqual(t, len(name), 255)
		require.Empty(t, seen[name], "%q and %q", seen[name], id)
		seen[name] = id
	}
}
