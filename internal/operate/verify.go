package operate

import "github.com/symphony-rt/symphony/internal/room"

// Problem is one thing that is not as it has to be.
type Problem struct {
	// Kind is one of the Problem… constants.
	Kind string `json:"kind"`
	// What says it in a sentence.
	What string `json:"what"`
	// Key and Seq say where, when that is known.
	Key string   `json:"key,omitempty"`
	Seq room.Seq `json:"seq,omitempty"`
}

// The kinds of problems.
const (
	ProblemSnapshot  = "snapshot"  // missing, damaged or not what the log says
	ProblemLog       = "log"       // an entry is missing or damaged
	ProblemArchive   = "archive"   // an archive is missing or damaged
	ProblemRecord    = "record"    // the room's record contradicts what is stored
	ProblemOrphan    = "orphan"    // an object nothing refers to
	ProblemDirectory = "directory" // the directory's figures are not the truth
)

// Report is what Verify found.
type Report struct {
	Room     room.ID   `json:"room"`
	Seq      room.Seq  `json:"seq"`
	Problems []Problem `json:"problems"`
	// Checked is what was looked at, in the order of looking.
	Checked []string `json:"checked"`
}

// OK says that nothing was found.
func (r Report) OK() bool { return len(r.Problems) == 0 }
