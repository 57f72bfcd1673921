// Package stage puts the dashboard of a deployed stage together: its figures
// from CloudWatch, its rooms from its table.
package stage

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	ui "github.com/symphony-rt/symphony/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/cloud"
	"github.com/symphony-rt/symphony/internal/dashboard/looking"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// Deployment is a stage, as its stack's outputs and the caller's AWS
// configuration describe it.
type Deployment struct {
	Config aws.Config
	// Name is the stage's; Stack its stack's, which the functions' names begin
	// with.
	Name, Stack string
	// Table and Bucket are the stack's, WebSocket is where clients connect.
	Table, Bucket, WebSocket string
	// Operations are those on the stage's rooms.
	Operations operate.Rooms
}

// Options are the caller's choices.
type Options struct {
	// Port of 127.0.0.1; 0 takes a free one.
	Port         int
	AllowChanges bool
	Version      string
	Log          *slog.Logger
}

// functions are the folders of functions/.
var functions = []string{"authorize", "connect", "message", "fanout", "disconnect", "checkpoint", "stream"}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC() }

// Serve serves the stage's dashboard until ctx ends or the server is closed.
// Whoever opens it needs the token of its URL: it shows what the developer's
// credentials can read, and other users of this machine cannot.
func Serve(ctx context.Context, d Deployment, o Options) (*dashboard.Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	catalog := dashboard.NewCatalog()
	source, err := cloud.New(cloud.Options{
		Metrics: cloudwatch.NewFromConfig(d.Config), Logs: cloudwatchlogs.NewFromConfig(d.Config), Catalog: catalog, Clock: systemClock{},
		Stage: d.Name, APIID: apiID(d.WebSocket), Table: d.Table, Prefix: d.Stack, FunctionNames: functions,
	})
	if err != nil {
		return nil, err
	}
	db := dynamostore.NewClient(d.Config)
	objects := s3store.New(s3store.NewClient(d.Config, false), d.Bucket, s3store.Options{})
	table := dynamostore.New(db, d.Table, objects, dynamostore.Options{Clock: systemClock{}})
	info := source.Info()
	info.Version, info.Socket, info.Changes = o.Version, d.WebSocket, o.AllowChanges
	files, _ := ui.Page()
	server, err := dashboard.Listen(ctx, o.Port, dashboard.Options{
		Info: info, Source: source, Catalog: catalog, Page: files, Private: true, Clock: systemClock{}, Log: o.Log,
		Rooms: looking.New(d.Operations, room.Ports{Log: table, Metas: table, Members: table, Snapshots: objects}),
	})
	if err != nil {
		return nil, err
	}
	listed := dynamodirectory.New(db, d.Table, systemClock{})
	if err := dashboard.Follow(ctx, catalog, listed, cloud.Pace, systemClock{}, server.Watched, o.Log); err != nil {
		_ = server.Close() // there is nothing to serve
		return nil, err
	}
	return server, nil
}

// apiID is the first part of the gateway's own host name; with a name of one's
// own in front it is not known from the URL, and its metrics stay empty.
func apiID(socket string) string {
	u, err := url.Parse(socket)
	if err != nil {
		return ""
	}
	id, _, _ := strings.Cut(u.Hostname(), ".")
	return id
}
