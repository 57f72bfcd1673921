package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/symphony-rt/symphony/internal/operate"
)

// control lets the CLI and the dashboard at the rooms of this process: the
// embedded store belongs to one process at a time. It listens on a loopback port
// of its own, never on that of the pages, and only the owner of the data folder
// can read its token.
type control struct {
	operate.Control
	folder string
	server *http.Server
}

// startControl returns nil for a store in memory, which has no folder.
func startControl(o options, page, ws, dashboard string, back *backend) (*control, error) {
	if o.memory || back.operations == nil {
		return nil, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the control port: %w", err)
	}
	c := &control{folder: o.data, Control: operate.Control{
		URL: "http://" + l.Addr().String(), Token: operate.NewToken(), Page: page, WS: ws, Stack: back.stack,
		PID: os.Getpid(), TokenNeeded: o.secret != nil, Dashboard: dashboard,
	}}
	c.server = &http.Server{Handler: operate.Handler(back.operations, c.Token), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = c.server.Serve(l) }()
	if err := c.Write(o.data); err != nil {
		return nil, errors.Join(fmt.Errorf("the control file: %w", err), c.server.Close())
	}
	return c, nil
}

func (c *control) close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	return errors.Join(c.Remove(c.folder), c.server.Shutdown(ctx))
}
