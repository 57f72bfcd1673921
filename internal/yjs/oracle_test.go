package yjs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// oracle is real Yjs in a long-lived Node process, see oracle/driver.mjs. It answers one request at a time.
type oracle struct {
	mu     sync.Mutex
	in     io.WriteCloser
	out    *bufio.Reader
	broken error
}

// sharedOracle returns the oracle that all tests share, or skips the test when there is no Node.
func sharedOracle(t testing.TB) *oracle {
	t.Helper()
	needNode(t)
	o, err := startShared()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var startShared = sync.OnceValues(startOracle)

// needNode skips the test, loudly, when there is no Node; with SYMPHONY_REQUIRE_ALL=1 it fails instead.
func needNode(t testing.TB) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		message := tool + " is not installed: NOTHING HERE IS COMPARED WITH REAL YJS"
		if os.Getenv("SYMPHONY_REQUIRE_ALL") == "1" {
			t.Fatal(message)
		}
		fmt.Fprintln(os.Stderr, "SKIPPED:", t.Name()+":", message)
		t.Skip(message)
	}
}

// installOracle installs what oracle/package-lock.json pins, unless it is there already.
var installOracle = sync.OnceValue(func() error {
	if _, err := os.Stat(filepath.Join("oracle", "node_modules", "y-protocols")); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-fund", "--no-audit")
	cmd.Dir = "oracle"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in internal/yjs/oracle: %w\n%s", err, out)
	}
	return nil
})

// startOracle starts one more Node process. It ends when the tests do, because its input ends then.
func startOracle() (*oracle, error) {
	if err := installOracle(); err != nil {
		return nil, err
	}
	cmd := exec.Command("node", "--max-old-space-size=4096", "--max-semi-space-size=64", "--expose-gc", "driver.mjs")
	cmd.Dir = "oracle"
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &oracle{in: in, out: bufio.NewReaderSize(out, 1<<20)}, nil
}

// ask sends a request to o and decodes the answer. An error of Yjs fails the test.
func ask[T any](t testing.TB, o *oracle, request map[string]any) T {
	t.Helper()
	answer, err := tryAsk[T](o, request)
	if err != nil {
		t.Fatalf("%v: %v", request["op"], err)
	}
	return answer
}

// answer is what the driver says to one request.
type answer[T any] struct {
	OK    T      `json:"ok"`
	Error string `json:"error"`
}

// tryAsk sends a request to o and decodes the answer.
func tryAsk[T any](o *oracle, request map[string]any) (T, error) {
	var a answer[T]
	line, err := json.Marshal(request)
	if err != nil {
		return a.OK, err
	}
	reply, err := o.exchange(line)
	if err != nil {
		return a.OK, err
	}
	if err := json.Unmarshal(reply, &a); err != nil {
		return a.OK, fmt.Errorf("%w in the answer %.200s", err, reply)
	}
	if a.Error != "" {
		return a.OK, errors.New(a.Error)
	}
	return a.OK, nil
}

// exchange sends one line and reads one.
func (o *oracle) exchange(line []byte) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return nil, o.broken
	}
	_, err := o.in.Write(append(line, '\n'))
	var reply []byte
	if err == nil {
		reply, err = o.out.ReadBytes('\n')
	}
	if err != nil {
		o.broken = fmt.Errorf("the Node driver ended: %w", err)
		return nil, o.broken
	}
	return bytes.TrimSpace(reply), nil
}

// session is what op "session" answers: the updates of several peers that edit and hear of each other only in part.
type session struct {
	Loose     bool     `json:"loose"` // Yjs may contradict itself about text
	Roots     []string `json:"roots"`
	Clients   []uint64 `json:"clients"`
	Authors   []int    `json:"authors"`   // index of the peer, by update
	Updates   [][]byte `json:"updates"`   // in the order in which they were made: causal
	UpdatesV2 [][]byte `json:"updatesV2"` // the same in the v2 encoding
	Vectors   [][]byte `json:"vectors"`   // state vectors of peers on the way
	States    [][]byte `json:"states"`    // the state of each peer at the end
	StatesV2  [][]byte `json:"statesV2"`
}

// loaded is what op "load" answers, as far as asked for.
type loaded struct {
	Pending bool                   `json:"pending"`
	Waiting []bool                 `json:"waiting"`
	Vector  []byte                 `json:"vector"`
	State   []byte                 `json:"state"`
	Exact   string                 `json:"exact"`
	Relaxed string                 `json:"relaxed"`
	Dump    *dump                  `json:"dump"`
	Roots   map[string]*loadedRoot `json:"roots"`
	Then    *loaded                `json:"then"`

	// What is integrated alone, and what waits alone.
	Core        string   `json:"core"`
	CoreRelaxed string   `json:"coreRelaxed"`
	Waits       []string `json:"waits"`
}

// loadedRoot is one root type.
type loadedRoot struct {
	JSON string `json:"json"` // toJSON, written as AppendJSON does
	Tree string `json:"tree"` // with formats and attributes
}

// dump lists everything in a document, clock by clock.
type dump struct {
	Structs []string `json:"structs"`
	Order   []string `json:"order"`
	Pending []string `json:"pending"`
}
