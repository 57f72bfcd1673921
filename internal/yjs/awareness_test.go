package yjs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAwarenessRoundTrip(t *testing.T) {
	states := []AwarenessState{
		{0, 0, nil}, {1, 2, json.RawMessage(`{}`)}, {maxSafe, maxSafe, json.RawMessage(`{"user":{"name":"\ud800"},"-0":-0,"n":1e400}`)},
		{1, 3, nil},
	}
	update := EncodeAwareness(states)
	got, err := DecodeAwareness(update)
	if err != nil || len(got) != len(states) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range states {
		if got[i].Client != states[i].Client || got[i].Clock != states[i].Clock || string(got[i].State) != string(states[i].State) || (got[i].State == nil) != (states[i].State == nil) {
			t.Errorf("state %d: %v, want %v", i, got[i], states[i])
		}
	}
	if got, err := DecodeAwareness([]byte{0}); err != nil || len(got) != 0 {
		t.Errorf("no states: %v, %v", got, err)
	}
}

// awarenessOf encodes one state whatever it is.
func awarenessOf(state string) []byte {
	return EncodeAwareness([]AwarenessState{{1, 1, json.RawMessage(state)}})
}

func TestAwarenessRefusesHostileInput(t *testing.T) {
	fromText := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, v := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":              {nil, ErrTruncated},
		"number as state":      {fromText("AU0BATE="), ErrAwarenessState},
		"string as state":      {awarenessOf(`"x"`), ErrAwarenessState},
		"array as state":       {awarenessOf(`[]`), ErrAwarenessState},
		"true as state":        {awarenessOf(` true`), ErrAwarenessState},
		"empty state":          {awarenessOf(``), ErrJSON},
		"blank state":          {awarenessOf("    "), ErrJSON},
		"half an object":       {awarenessOf(`{"a":`), ErrJSON},
		"not UTF-8":            {awarenessOf("{\"a\":\"\xff\"}"), ErrUTF8},
		"a surrogate in UTF-8": {awarenessOf("{\"a\":\"\xed\xa0\x80\"}"), ErrUTF8},
		"trailing byte":        {append(awarenessOf(`{}`), 0), ErrTrailing},
		"more than there are":  {[]byte{2, 1, 1, 2, '{', '}'}, ErrTruncated},
		"very many":            {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}, ErrTruncated},
		"client above 2^53":    {[]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 2, '{', '}'}, ErrNumber},
		"long state":           {awarenessOf(`{"a":"` + strings.Repeat("x", DefaultMaxAwarenessState) + `"}`), ErrTooLarge},
		"deep state":           {awarenessOf(strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)), ErrDepth},
		"8 MB of brackets":     {awarenessOf(strings.Repeat("[", 8<<20)), ErrTooLarge},
		"too many clients":     {append(appendUvarint(nil, 10_001), bytes.Repeat([]byte{1, 1, 2, '{', '}'}, 10_001)...), ErrTooLarge},
	} {
		got, err := DecodeAwareness(v.in)
		if !errors.Is(err, v.want) || got != nil {
			t.Errorf("%s: %v, %v; want %v", name, got, err, v.want)
		}
		var decode *DecodeError
		if !errors.As(err, &decode) {
			t.Errorf("%s: %T is no *DecodeError", name, err)
		}
		if _, err := NewAwareness().Apply(v.in, time.Time{}); !errors.Is(err, v.want) {
			t.Errorf("%s applied: %v, want %v", name, err, v.want)
		}
	}
}

func TestAwarenessTableIsBounded(t *testing.T) {
	a := AwarenessLimits{MaxClients: 3}.NewAwareness()
	now := time.Unix(0, 0)
	states := []AwarenessState{{1, 1, json.RawMessage(`{}`)}, {2, 1, json.RawMessage(`{}`)}, {3, 1, nil}}
	if _, err := a.Apply(EncodeAwareness(states), now); err != nil {
		t.Fatal(err)
	}
	more := EncodeAwareness([]AwarenessState{{1, 2, json.RawMessage(`{"a":1}`)}, {4, 1, json.RawMessage(`{}`)}})
	if _, err := a.Apply(more, now); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a fourth client: %v", err)
	}
	if got := a.States(); len(got) != 2 || got[0].Clock != 1 {
		t.Errorf("a refused update changed the table: %v", got)
	}
	a.Forget(now.Add(time.Minute), time.Minute)
	if _, err := a.Apply(more, now); err != nil {
		t.Errorf("after Forget: %v", err)
	}
	if _, err := a.Set(5, json.RawMessage(`{}`), now); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a fifth client of its own: %v", err)
	}
}

func TestAwarenessExpires(t *testing.T) {
	a := NewAwareness()
	start := time.Unix(1000, 0)
	for client := range uint64(3) {
		if _, err := a.Apply(EncodeAwareness([]AwarenessState{{client, 1, json.RawMessage(`{}`)}}), start.Add(time.Duration(client)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Set(9, json.RawMessage(`{}`), start); err != nil {
		t.Fatal(err)
	}
	if got := a.Expire(start.Add(AwarenessTimeout+time.Second), AwarenessTimeout); !slices.Equal(got, []uint64{0, 1}) {
		t.Errorf("expired %v, want 0 and 1: not 2, which is young, nor 9, which is the table's own", got)
	}
	if got := a.Encode(0, 2, 77); !bytes.Equal(got, EncodeAwareness([]AwarenessState{{0, 1, nil}, {2, 1, json.RawMessage(`{}`)}})) {
		t.Errorf("encoded %q", got)
	}
}

// awarenessStep is one step of op "awareness".
type awarenessStep struct {
	Update []byte           `json:"update,omitempty"`
	Remove []uint64         `json:"remove,omitempty"`
	Set    *json.RawMessage `json:"set,omitempty"`
}

type awarenessAnswer struct {
	Changes []struct{ Added, Updated, Removed []uint64 } `json:"changes"`
	Errors  []string                                     `json:"errors"`
	Clocks  [][2]uint64                                  `json:"clocks"`
	States  [][2]json.RawMessage                         `json:"states"`
	Update  []byte                                       `json:"update"`
}

// TestAwarenessLikeYProtocols plays random steps with y-protocols' Awareness and with ours.
func TestAwarenessLikeYProtocols(t *testing.T) {
	o := sharedOracle(t)
	seed := uint64(intFromEnv(t, "SYMPHONY_FUZZ_SEED", int(time.Now().UnixNano()&0x3fffffff)))
	t.Logf("SYMPHONY_FUZZ_SEED=%d", seed)
	for round := range uint64(200) {
		r := rand.New(rand.NewPCG(seed+round, 1))
		local := uint64(r.IntN(4))
		steps := awarenessSteps(r, r.IntN(2) == 0)
		want := ask[awarenessAnswer](t, o, map[string]any{"op": "awareness", "local": local, "steps": steps})
		a := NewAwareness()
		// y-protocols sets {} when it begins.
		if _, err := a.Set(local, json.RawMessage(`{}`), time.Time{}); err != nil {
			t.Fatal(err)
		}
		for i, step := range steps {
			change, err := stepAwareness(a, local, step)
			if (err != nil) != (want.Errors[i] != "") {
				t.Fatalf("seed %d step %d: %v, want %q", seed+round, i, err, want.Errors[i])
			}
			w := want.Changes[i]
			if !slices.Equal(change.Added, w.Added) || !slices.Equal(change.Updated, w.Updated) || !slices.Equal(change.Removed, w.Removed) {
				t.Fatalf("seed %d step %d: %v, want %v", seed+round, i, change, w)
			}
		}
		if err := compareAwareness(a, want); err != nil {
			t.Fatalf("seed %d: %v", seed+round, err)
		}
	}
}

// awarenessSteps returns random steps about few clients.
func awarenessSteps(r *rand.Rand, sets bool) []awarenessStep {
	state := func() json.RawMessage {
		return pick(r, nil, json.RawMessage(`{}`), json.RawMessage(`{"a":1}`), json.RawMessage(`{"user":{"name":"😀"}}`))
	}
	steps := make([]awarenessStep, 1+r.IntN(12))
	for i := range steps {
		switch {
		case r.IntN(6) == 0:
			steps[i].Remove = []uint64{uint64(r.IntN(4)), uint64(r.IntN(4))}
		case sets && r.IntN(4) == 0:
			own := state()
			if own == nil {
				own = json.RawMessage("null")
			}
			steps[i].Set = &own
		default:
			var states []AwarenessState
			for range 1 + r.IntN(3) {
				states = append(states, AwarenessState{uint64(r.IntN(4)), uint64(r.IntN(4)), state()})
			}
			steps[i].Update = EncodeAwareness(states)
		}
	}
	return steps
}

func stepAwareness(a *Awareness, local uint64, step awarenessStep) (AwarenessChange, error) {
	switch {
	case step.Set != nil:
		return a.Set(local, *step.Set, time.Time{})
	case step.Remove != nil:
		return AwarenessChange{Removed: a.Remove(step.Remove, time.Time{})}, nil
	}
	return a.Apply(step.Update, time.Time{})
}

// compareAwareness compares a table with that of y-protocols.
func compareAwareness(a *Awareness, want awarenessAnswer) error {
	var clients []uint64
	for _, c := range want.Clocks {
		clients = append(clients, c[0])
		if e := a.clients[c[0]]; e == nil || e.clock != c[1] {
			return fmt.Errorf("client %d: %v, want clock %d", c[0], e, c[1])
		}
	}
	if len(a.clients) != len(want.Clocks) {
		return fmt.Errorf("%d clients, want %d", len(a.clients), len(want.Clocks))
	}
	states := a.States()
	if len(states) != len(want.States) {
		return fmt.Errorf("states %v, want %s", states, want.States)
	}
	for i, s := range states {
		var text string
		if err := json.Unmarshal(want.States[i][1], &text); err != nil || text != string(s.State) {
			return fmt.Errorf("state of client %d: %s, want %s", s.Client, s.State, text)
		}
	}
	if got := a.Encode(clients...); !bytes.Equal(got, want.Update) {
		return fmt.Errorf("encoded %q, want %q", got, want.Update)
	}
	return nil
}

// TestAwarenessAcceptsWhatYProtocolsDoes flips each bit and cuts at each byte of updates.
func TestAwarenessAcceptsWhatYProtocolsDoes(t *testing.T) {
	o := sharedOracle(t)
	base := EncodeAwareness([]AwarenessState{{300, 1, json.RawMessage(`{"a":[1,"ü"]}`)}, {5, 7, nil}, {1 << 40, 2, json.RawMessage(` {} `)}})
	var inputs [][]byte
	for i := range base {
		inputs = append(inputs, base[:i])
		for bit := range 8 {
			flipped := bytes.Clone(base)
			flipped[i] ^= 1 << bit
			inputs = append(inputs, flipped)
		}
	}
	requests := make([]map[string]any, len(inputs))
	for i, in := range inputs {
		requests[i] = map[string]any{"op": "awareness", "steps": []map[string]any{{"update": in}}}
	}
	answers := ask[[]answer[awarenessAnswer]](t, o, map[string]any{"op": "batch", "requests": requests})
	accepted := 0
	for i, in := range inputs {
		_, err := DecodeAwareness(in)
		theirs := answers[i].OK.Errors[0]
		switch {
		case err == nil && theirs != "":
			t.Errorf("%q is accepted, y-protocols says %s", in, theirs)
		case err != nil && theirs == "" && !errors.Is(err, ErrTrailing) && !errors.Is(err, ErrAwarenessState):
			t.Errorf("%q is refused: %v, y-protocols accepts it", in, err)
		case err == nil:
			accepted++
		}
	}
	if accepted == 0 || accepted == len(inputs) {
		t.Errorf("%d of %d accepted: the test tests nothing", accepted, len(inputs))
	}
}

func FuzzDecodeAwareness(f *testing.F) {
	f.Add(EncodeAwareness([]AwarenessState{{1, 1, json.RawMessage(`{"a":1}`)}, {2, 5, nil}}))
	f.Add([]byte("\x01\x4d\x01\x011"))
	f.Fuzz(func(t *testing.T, update []byte) {
		states, err := DecodeAwareness(update)
		if err != nil {
			var decode *DecodeError
			if !errors.As(err, &decode) {
				t.Fatalf("%T", err)
			}
			return
		}
		again, err := DecodeAwareness(EncodeAwareness(states))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(states) {
			t.Fatalf("%v became %v, %v", states, again, err)
		}
		a := NewAwareness()
		if _, err := a.Apply(update, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if change, err := a.Apply(update, time.Time{}); err != nil || len(change.Added) > 0 {
			t.Fatalf("applied twice: %v, %v", change, err)
		}
	})
}
