package operate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Control says how to reach a local server that is running. It lies in its data
// folder, readable by its owner only, because the token opens everything.
type Control struct {
	// URL and Token are those of Handler.
	URL   string `json:"url"`
	Token string `json:"token"`
	// Page and WS are the URLs of the pages and of the first gateway.
	Page string `json:"page"`
	WS   string `json:"ws"`
	// Stack is where the data lies: embedded, localstack, engines.
	Stack string `json:"stack"`
	PID   int    `json:"pid"`
	// Dashboard is its URL, "" when there is none.
	Dashboard string `json:"dashboard,omitempty"`
	// TokenNeeded says that connections need a token.
	TokenNeeded bool `json:"tokenNeeded"`
}

// ControlFile is the name of the file in the data folder.
const ControlFile = "control.json"

// ErrNotRunning: no local server has written its Control there.
var ErrNotRunning = errors.New("no local server is running on that folder")

// Write stores c in folder. The file is there whole or not at all.
func (c Control) Write(folder string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ControlFile+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(folder, ControlFile))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// Remove takes the file away if it still is c's.
func (c Control) Remove(folder string) error {
	if now, err := ReadControl(folder); err != nil || now.Token != c.Token {
		return nil // another server's by now
	}
	return os.Remove(filepath.Join(folder, ControlFile))
}

// ReadControl returns what Write stored; ErrNotRunning when there is nothing. A
// server that was killed leaves its file behind: nobody answers at its URL then.
func ReadControl(folder string) (Control, error) {
	data, err := os.ReadFile(filepath.Join(folder, ControlFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Control{}, fmt.Errorf("%w: %s", ErrNotRunning, folder)
	}
	var c Control
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return Control{}, fmt.Errorf("%s: %w", filepath.Join(folder, ControlFile), err)
	}
	return c, nil
}
