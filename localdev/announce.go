package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/symphony-rt/symphony/internal/pebblestore"
)

// announce says, in one block or one JSON line, what a newcomer needs to know.
func announce(out io.Writer, o options, base string, back *backend) {
	ws := "ws" + strings.TrimPrefix(base, "http") + "/" + stage
	if o.readyJSON {
		line, err := json.Marshal(map[string]string{"url": base + "/", "ws": ws, "data": back.where, "stack": back.stack, "version": version})
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
    WebSocket    %s?room=<id>
    Data         %s
    Store        %s: %s
    Let in       %s
    Stop         Ctrl-C

`, base, ws, back.where, back.stack, back.why, who)
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
