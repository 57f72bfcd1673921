package yjs

import (
	"bytes"
	"errors"
	"fmt"
)

// Check names one of the checks of VerifyCompaction.
type Check string

// The checks of VerifyCompaction, in the order in which they are made.
const (
	// CheckParse: every input and the result are valid.
	CheckParse Check = "parse"
	// CheckClocks: the result has structs for exactly the clocks that the inputs have structs for.
	CheckClocks Check = "clocks"
	// CheckDeletes: the delete set of the result is the union of those of the inputs. A state vector alone misses a
	// delete that arrived before its insert.
	CheckDeletes Check = "deletes"
	// CheckContent: at every clock the origins, parent, key and content of the result are those of an input, or the
	// content is gone and the clock is deleted.
	CheckContent Check = "content"
	// CheckDiff: when the result has no gaps, no input has anything that a peer with the result's state vector lacks.
	CheckDiff Check = "diff"
	// CheckSecondOpinion: another implementation computes the same state vector from the result.
	CheckSecondOpinion Check = "second opinion"
)

// ErrVerify matches every *VerifyError.
var ErrVerify = errors.New("yjs: the result does not hold what its inputs hold")

// VerifyError says why VerifyCompaction refuses a result.
type VerifyError struct {
	Check Check
	Input int // index of the input that shows the fault, or -1
	// ID is the first clock that shows the fault, for CheckClocks, CheckDeletes and CheckContent.
	ID     ID
	Detail string
	Err    error // for CheckParse, the *DecodeError
}

func (e *VerifyError) Error() string {
	s := fmt.Sprintf("%v: %s: client %d clock %d", ErrVerify, e.Check, e.ID.Client, e.ID.Clock)
	if e.Input >= 0 {
		s += fmt.Sprintf(", input %d", e.Input)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is makes errors.Is(err, ErrVerify) true.
func (e *VerifyError) Is(target error) bool { return target == ErrVerify }

func (e *VerifyError) Unwrap() error { return e.Err }

// VerifyCompaction proves that result may take the place of inputs: that it is their merge, with nothing gone but
// deleted content. It accepts what Merge(inputs...) returns and what Compact makes of that, shares nothing with Compact
// but the reading of structs, and returns nil or a *VerifyError.
//
// Where inputs contradict each other about a clock, which no honest peer brings about, the result has to agree with one
// of them. It takes O(n log n) time.
func VerifyCompaction(inputs [][]byte, result []byte) error {
	in, out, err := parseForVerify(inputs, result)
	if err != nil {
		return err
	}
	if err := sameClocks(in, out); err != nil {
		return err
	}
	if err := sameDeletes(in, out); err != nil {
		return err
	}
	if err := sameContent(in, out); err != nil {
		return err
	}
	state, gaps := stateOfLists(out)
	if !gaps {
		if err := nothingBeyond(inputs, state); err != nil {
			return err
		}
	}
	return secondOpinion(result, state)
}

// parseForVerify is CheckParse.
func parseForVerify(inputs [][]byte, result []byte) (in, out *index, err error) {
	out, err = indexOf(DefaultLimits(), result)
	if err != nil {
		return nil, nil, &VerifyError{Check: CheckParse, Input: -1, Detail: "result", Err: err}
	}
	in = &index{updates: inputs, lists: make([]list, 0, len(inputs))}
	for i, input := range inputs {
		if err := in.add(DefaultLimits(), input, int32(i)); err != nil {
			return nil, nil, &VerifyError{Check: CheckParse, Input: i, Err: err}
		}
	}
	in.sort()
	return in, out, nil
}

// covered returns the clocks that x has structs for.
func (x *index) covered() deleteSet {
	var ranges []deleteRange
	var c cursor
	for _, l := range x.lists {
		if l.kinds&kindSkip == 0 {
			ranges = append(ranges, deleteRange{l.client, l.clock, l.end})
			continue
		}
		for c.open(x, l); c.next(); {
			ranges = append(ranges, deleteRange{l.client, c.block.clock, c.block.end()})
		}
	}
	return normalise(ranges)
}

// sameClocks is CheckClocks.
func sameClocks(in, out *index) error {
	want, got := in.covered(), out.covered()
	if r, missing := got.firstMissing(want); missing {
		return &VerifyError{Check: CheckClocks, Input: -1, ID: got.firstOutside(r), Detail: "the result lacks a struct"}
	}
	if r, missing := want.firstMissing(got); missing {
		return &VerifyError{Check: CheckClocks, Input: -1, ID: want.firstOutside(r), Detail: "the result has a struct that no input has"}
	}
	return nil
}

// sameDeletes is CheckDeletes.
func sameDeletes(in, out *index) error {
	if r, missing := out.deletes.firstMissing(in.deletes); missing {
		return &VerifyError{Check: CheckDeletes, Input: -1, ID: out.deletes.firstOutside(r), Detail: "the result lacks a delete"}
	}
	if r, missing := in.deletes.firstMissing(out.deletes); missing {
		return &VerifyError{Check: CheckDeletes, Input: -1, ID: in.deletes.firstOutside(r), Detail: "the result has a delete that no input has"}
	}
	return nil
}

// firstOutside returns the first clock of r that is not in d.
func (d deleteSet) firstOutside(r deleteRange) ID {
	id := ID{r.client, r.clock}
	for i := d.search(r.client, r.clock); i < len(d) && d[i].client == r.client && d[i].clock <= id.Clock; i++ {
		id.Clock = d[i].end
	}
	return id
}

// stateOfLists returns the state vector of the only update of x, and whether it has gaps.
func stateOfLists(x *index) (state stateVector, gaps bool) {
	covered := x.covered()
	for i, r := range covered {
		if i > 0 && covered[i-1].client == r.client || r.clock > 0 {
			gaps = true
			continue
		}
		state = append(state, clientClock{r.client, r.end})
	}
	return state, gaps
}

// nothingBeyond is CheckDiff.
func nothingBeyond(inputs [][]byte, state stateVector) error {
	encoded := state.append(nil)
	for i, input := range inputs {
		diff, err := Diff(input, encoded)
		if err != nil {
			return &VerifyError{Check: CheckDiff, Input: i, Err: err}
		}
		if !bytes.HasPrefix(diff, []byte{0}) {
			return &VerifyError{Check: CheckDiff, Input: i, Detail: "the input has structs beyond the result's state vector"}
		}
	}
	return nil
}
