package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// shutdownTime is how long a clean shutdown may take: open connections are
// closed, running functions finish, the store is closed.
const shutdownTime = 10 * time.Second

// errPort: the port is taken.
var errPort = errors.New("port in use")

// serve runs everything until ctx ends.
func serve(ctx context.Context, o options, out io.Writer, log *slog.Logger) error {
	listener, err := listen(o.host, o.port)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + address(o.host, listener.Addr())

	front := newFront(o)
	watch, log, err := newWatch(o, front, log)
	if err != nil {
		return err
	}
	back, err := openBackend(ctx, o, server{front.posts(), base, front.meter, watch}, progress(out, o), log)
	if err != nil {
		return err
	}
	if err := front.open(ctx, o, back.functions, log); err != nil {
		return errors.Join(err, back.close(ctx))
	}
	if err := front.openDebug(o); err != nil {
		return errors.Join(err, front.close(ctx), back.close(ctx))
	}

	if err := watch.start(ctx, o, front.sockets(base)[0], back); err != nil {
		return errors.Join(err, front.close(ctx), back.close(ctx))
	}
	control, err := startControl(o, base+"/", front.sockets(base)[0], watch.url(), back)
	if err != nil {
		return errors.Join(err, front.close(ctx), back.close(ctx))
	}

	web := &http.Server{Handler: routes(o, front.gate, back), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()

	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	scheduled := make(chan struct{})
	go func() {
		defer close(scheduled)
		schedule(background, back.functions, o.checkpoint-sweepSpread(o.checkpoint), log.With("part", "schedule"))
	}()

	announce(out, o, base, front, back, watch.url())
	err = wait(ctx, served, front.failed(), back.failed, back.healthy)
	if !o.readyJSON {
		fmt.Fprintln(out, "\nStopping: closing connections and the store.")
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err = errors.Join(err, watch.close(), control.close(stop), front.close(stop), web.Shutdown(stop))
	stopBackground()
	<-scheduled
	return errors.Join(err, back.close(stop))
}

// progress is where lines for a waiting person go; scripts get none.
func progress(out io.Writer, o options) io.Writer {
	if o.readyJSON {
		return io.Discard
	}
	return out
}

// wait returns nil when ctx ends, an error when the server or the store did.
func wait(ctx context.Context, served, gateways <-chan error, failed <-chan struct{}, healthy func() error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		return fmt.Errorf("the server stopped: %w", err)
	case err := <-gateways:
		return err
	case <-failed:
		return fmt.Errorf("the store stopped, so nothing can be acknowledged any more: %w", healthy())
	}
}

func routes(o options, gate *gateway.Gateway, back *backend) http.Handler {
	site := pages(o.pages, o.examples, back.healthy)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	if back.rooms != nil {
		mux.Handle(roomsPath, back.rooms)
	}
	if back.later != nil {
		mux.Handle(invokePath, local(back.later))
	}
	if back.uploads != nil {
		mux.Handle(uploadsPath+"/", http.StripPrefix(uploadsPath, back.uploads))
	}
	// The gateway sees the raw path: it has its own rules for what is after the
	// stage, which a mux would clean away.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; gate != nil && (p == "/"+stage || strings.HasPrefix(p, "/"+stage+"/")) {
			gate.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func listen(host string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w: %s:%d. Stop what uses it, or choose another: make local PORT=%d", errPort, host, port, port+1)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d is for the system: choose one over 1023: make local PORT=8787", port)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s port %d: %w", host, port, err)
	}
	return l, nil
}

// address is how this machine's browser reaches the listener.
func address(host string, addr net.Addr) string {
	port := strconv.Itoa(addr.(*net.TCPAddr).Port)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
