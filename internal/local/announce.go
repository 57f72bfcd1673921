package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/symphony-rt/symphony/internal/pebblestore"
)

// announce says, in one block or one JSON line, what a newcomer needs to know.
func announce(out io.Writer, o options, base string, front *front, back *backend, dashboard string) {
	sockets := front.sockets(base)
	if o.readyJSON {
		line, err := json.Marshal(readyLine(o, base, sockets, front.debugURL(), dashboard, back))
		if err == nil {
			fmt.Fprintf(out, "%s\n", line)
		}
		return
	}
	who := "everybody (no --secret)"
	if o.secret != nil {
		who = "those with a token (--secret)"
	}
	fmt.Fprintf(out, `
  Symphony is running.

    Whiteboard   %s/        open it in two windows
%s%s%s    Data         %s
    Store        %s: %s
    Let in       %s
    Stop         Ctrl-C

`, base, exampleLines(base, o.examples), dashboardLine(dashboard), socketLines(sockets, front.debugURL()), back.where, back.stack, back.why, who)
}

// readyLine is the JSON line: "gateways", "debug" and "dashboard" are there with
// --gateways, with --pprof and without --dashboard off.
func readyLine(o options, base string, sockets []string, debug, dashboard string, back *backend) map[string]any {
	line := map[string]any{"url": base + "/", "ws": sockets[0], "data": back.where, "stack": back.stack, "version": o.version}
	if len(sockets) > 1 {
		line["gateways"] = sockets
	}
	if debug != "" {
		line["debug"] = debug
	}
	if dashboard != "" {
		line["dashboard"] = dashboard
	}
	return line
}

func dashboardLine(url string) string {
	if url == "" {
		return ""
	}
	return fmt.Sprintf("    Dashboard    %s\n", url)
}

func exampleLines(base, dir string) string {
	var b strings.Builder
	for _, name := range examples {
		if built(exampleFolder(dir, name)) {
			fmt.Fprintf(&b, "    %-12s %s/%s/\n", strings.ToUpper(name[:1])+name[1:], base, name)
		}
	}
	return b.String()
}

func socketLines(sockets []string, debug string) string {
	var b strings.Builder
	for _, s := range sockets {
		fmt.Fprintf(&b, "    WebSocket    %s?room=<id>\n", s)
	}
	if debug != "" {
		fmt.Fprintf(&b, "    Profiles     %s/debug/pprof/\n", debug)
	}
	return b.String()
}

// explain adds what to do to an error that a newcomer may meet.
func explain(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, pebblestore.ErrDamaged):
		text += "\nYour data is still in that folder. To start fresh beside it: make local DATA=.symphony-new"
	case errors.Is(err, pebblestore.ErrUnwritable):
		text += "\nChoose a folder you may write to: make local DATA=/some/folder"
	}
	return text
}
