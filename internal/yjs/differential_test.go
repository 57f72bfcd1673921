package yjs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// defaultSessions keeps the test within seconds. `make fuzz` plays 20,000.
	defaultSessions = 300
	// sessionsAtOnce go to a driver in one request.
	sessionsAtOnce = 10
	// wildEvery-th requests are for sessions of oracle/wild.mjs.
	wildEvery    = 5
	vectorFolder = "testdata/vectors"
)

// TestDifferential plays random sessions with real Yjs and compares everything this package does with them, in all
// deliveries. SYMPHONY_FUZZ_SEED sets the first seed, SYMPHONY_FUZZ_SESSIONS how many there are. What fails is made
// small and kept in testdata/vectors, which TestVectors plays again.
func TestDifferential(t *testing.T) {
	needNode(t)
	first := intFromEnv(t, "SYMPHONY_FUZZ_SEED", int(time.Now().UnixNano()&0x3fffffff))
	count := intFromEnv(t, "SYMPHONY_FUZZ_SESSIONS", defaultSessions)
	t.Logf("seeds %d to %d: SYMPHONY_FUZZ_SEED=%d SYMPHONY_FUZZ_SESSIONS=%d", first, first+count-1, first, count)
	var next, failed atomic.Int64
	var sum tally
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		o, err := startOracle()
		if err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer o.in.Close()
			for failed.Load() < 5 {
				from := int(next.Add(sessionsAtOnce)) - sessionsAtOnce
				if from >= count {
					return
				}
				failed.Add(playSessions(t, o, first+from, min(sessionsAtOnce, count-from), &sum))
				if count > defaultSessions {
					sum.progress(t, count)
				}
			}
		}()
	}
	wg.Wait()
	t.Logf("%v; %d sessions failed", &sum, failed.Load())
}

// progressEvery is after how many sessions a long run says how far it is.
const progressEvery = 500

// tally counts what has been compared.
type tally struct {
	mu                sync.Mutex
	sessions, updates int
	deliveries        map[string]int
	reported          int
}

func (s *tally) add(cases []diffCase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deliveries == nil {
		s.deliveries = map[string]int{}
	}
	s.sessions += len(cases)
	for _, c := range cases {
		s.updates += len(c.Given) + len(c.Later)
		s.deliveries[c.Delivery]++
	}
}

func (s *tally) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d sessions, %d updates, delivered %v: documents (read and tidied), algebra, merge, compact, diff, state vectors, split, v2, write", s.sessions, s.updates, s.deliveries)
}

func (s *tally) progress(t *testing.T, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions/progressEvery > s.reported {
		s.reported = s.sessions / progressEvery
		t.Logf("%d of %d sessions", s.sessions, count)
	}
}

// intFromEnv returns a number from the environment.
func intFromEnv(t *testing.T, name string, fallback int) int {
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// playSessions plays n sessions and returns how many cases failed.
func playSessions(t *testing.T, o *oracle, first, n int, sum *tally) int64 {
	seeds := make([]int, n)
	for i := range seeds {
		seeds[i] = first + i
	}
	// Most sessions are short: what long ones find is rare, and Yjs takes quadratic time for them.
	long := rand.New(rand.NewPCG(uint64(first), 3)).Float64()
	steps := 15 + int(100*long*long)
	wild := first/sessionsAtOnce%wildEvery == 0
	sessions, err := tryAsk[[]session](o, map[string]any{"op": "sessions", "seeds": seeds, "steps": steps, "v2": "some", "wild": wild})
	if err != nil {
		t.Errorf("sessions from seed %d: %v", first, err)
		return 1
	}
	var cases []diffCase
	for i, s := range sessions {
		if len(s.Updates) > 0 {
			cases = append(cases, newCase(seeds[i], s))
		}
	}
	failures, err := runCases(o, cases)
	if err != nil {
		t.Errorf("sessions from seed %d: %v", first, err)
		return 1
	}
	sum.add(cases)
	bad := int64(0)
	for i, list := range failures {
		if len(list) == 0 {
			continue
		}
		bad++
		small := minimise(o, cases[i], list[0].probe)
		file := keepVector(t, small, list[0].probe)
		t.Errorf("seed %d, %s, kept in %s:", cases[i].Seed, cases[i].Delivery, file)
		for _, f := range list {
			t.Errorf("  %s: %.2000v", f.probe, f.err)
		}
	}
	return bad
}

// runCases asks Yjs about all cases at once and returns the failures of each.
func runCases(o *oracle, cases []diffCase) ([][]failure, error) {
	probes := make([][]probe, len(cases))
	for i, c := range cases {
		probes[i] = c.probes()
	}
	failures := make([][]failure, len(cases))
	for pending := true; pending; {
		answers, err := askAll(o, probes)
		if err != nil {
			return nil, err
		}
		pending = false
		for i := range cases {
			var next []probe
			for j, p := range probes[i] {
				err := p.check(answers[i][j])
				switch {
				case err == nil:
				case p.again != nil:
					next, pending = append(next, *p.again), true
				default:
					failures[i] = append(failures[i], failure{p.name, err})
				}
			}
			probes[i] = next
		}
	}
	return failures, nil
}

// askAll asks the questions of probes and returns the answers of each. What several ask is asked once.
func askAll(o *oracle, probes [][]probe) (answers [][][]json.RawMessage, err error) {
	var requests []json.RawMessage
	numbers := map[string]int{}
	var asked [][][]int
	for _, list := range probes {
		var ofCase [][]int
		for _, p := range list {
			var ofProbe []int
			for _, q := range p.requests {
				line, err := json.Marshal(q)
				if err != nil {
					return nil, err
				}
				n, is := numbers[string(line)]
				if !is {
					n = len(requests)
					numbers[string(line)] = n
					requests = append(requests, line)
				}
				ofProbe = append(ofProbe, n)
			}
			ofCase = append(ofCase, ofProbe)
		}
		asked = append(asked, ofCase)
	}
	flat, err := tryAsk[[]json.RawMessage](o, map[string]any{"op": "batch", "requests": requests})
	if err != nil {
		return nil, err
	}
	for _, ofCase := range asked {
		var list [][]json.RawMessage
		for _, ofProbe := range ofCase {
			var mine []json.RawMessage
			for _, n := range ofProbe {
				mine = append(mine, flat[n])
			}
			list = append(list, mine)
		}
		answers = append(answers, list)
	}
	return answers, nil
}

// minimise drops updates as long as the probe still fails.
func minimise(o *oracle, c diffCase, name string) diffCase {
	fails := func(c diffCase) bool {
		failures, err := runCases(o, []diffCase{c})
		return err == nil && slices.ContainsFunc(failures[0], func(f failure) bool { return f.probe == name })
	}
	shrink := func(get func(*diffCase) *[][]byte) {
		for size := len(*get(&c)); size > 0; size /= 2 {
			for at := 0; at < len(*get(&c)); {
				smaller := c
				list := get(&smaller)
				*list = slices.Concat((*list)[:at], (*list)[min(at+size, len(*list)):])
				if fails(smaller) {
					c = smaller
				} else {
					at += size
				}
			}
		}
	}
	shrink(func(c *diffCase) *[][]byte { return &c.UpdatesV2 })
	shrink(func(c *diffCase) *[][]byte { return &c.Vectors })
	shrink(func(c *diffCase) *[][]byte { return &c.Later })
	shrink(func(c *diffCase) *[][]byte { return &c.Given })
	return c
}

// keepVector writes a case for TestVectors.
func keepVector(t *testing.T, c diffCase, name string) string {
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(vectorFolder, fmt.Sprintf("%s-%d.json", slug(name), c.Seed))
	if err := os.MkdirAll(vectorFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func slug(name string) string {
	out := []byte(name)
	for i, c := range out {
		if c == ' ' {
			out[i] = '-'
		}
	}
	return string(out)
}

// TestVectors plays what has failed once, and the cases of the study of other implementations.
func TestVectors(t *testing.T) {
	o := sharedOracle(t)
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c diffCase
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			failures, err := runCases(o, []diffCase{c})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range failures[0] {
				t.Errorf("%s: %v", f.probe, f.err)
			}
		})
	}
}
