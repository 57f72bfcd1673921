package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// childRole, as the only argument, makes this process one gateway of a fleet. It
// is for startFleet and not for people.
const childRole = "fleet-gateway"

// runChild is a gateway process: it reads its options, says where it listens
// and serves until in ends.
func runChild(ctx context.Context, in io.Reader, out, stderr io.Writer) error {
	// A read-ahead buffer is fine: after the one line nothing comes but the end.
	input := bufio.NewReader(in)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("its options: %w", err)
	}
	var o childOptions
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("its options: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.Level})).With("gateway", o.Number)
	listener, base, err := listenHere(o.Host, o.Port)
	if err != nil {
		return err
	}
	defer listener.Close()
	var gate *gateway.Gateway
	made := make(chan struct{})
	functions, err := gateway.DialLink(ctx, o.Invoke, o.Secret, o.Number, func() *gateway.Gateway { <-made; return gate })
	if err != nil {
		return fmt.Errorf("the functions: %w", err)
	}
	defer functions.Close()
	config := o.Gateway.options().config(functions, log.With("part", "gateway"))
	config.Number = o.Number
	if gate, err = gateway.New(config); err != nil {
		return err
	}
	close(made)
	ready := childReady{Base: base}
	if o.Debug {
		d, err := startDebug(func() debugReport { return debugReport{Gateway: snapshotOf(gate)} })
		if err != nil {
			return err
		}
		defer d.close()
		ready.Debug = d.url
	}

	web := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: gate}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, input)
	}()
	select {
	case <-ended:
		err = nil
	case <-ctx.Done():
		err = nil
	case <-functions.Done():
		err = gateway.ErrLink
	case err = <-served:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime*8/10)
	defer cancel()
	return errors.Join(err, gate.Shutdown(stop), web.Shutdown(stop))
}
