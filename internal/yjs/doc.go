package yjs

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Doc is a document in memory: what Y.Doc is, as far as reading it and editing it on a server needs. Updates go in with
// Apply, in any order and as often as they come; what waits for updates that have not come is kept and reported by
// Pending. Text, Array, Map and XML read it, Transact edits it, Encode gives its state.
//
// A document is a function of the set of updates it was given, in one respect also of how they came: like a Y.Doc, it
// deletes formats that an update has made redundant, in nested texts and in roots that Text was asked for before the
// update came. What a text says does not change by that, but neighbours in a delta may become one.
//
// Deleted content is dropped at once, as with Y.Doc's gc, which is on by default there. All of n edits take O(n log n)
// time, as long as few of them are concurrent inserts at the very same place: each of those is compared with the others.
// Updates made to have very many end in ErrTooComplex.
//
// A Doc must not be used concurrently, except that any number of goroutines may read it while none changes it.
type Doc struct {
	limits  Limits
	clients map[uint64]*docClient
	roots   map[string]*branch
	edit    edit
	visits  uint64 // see position
	budget  uint64 // of visits
	serial  uint64 // of the Apply or transaction that is open, or was the last
	failed  error  // ErrTooComplex, once it has happened

	ready        []*stretch // to be integrated; the last is next
	suspended    []*stretch // that have begun to wait in this Apply
	deferred     []*stretch // that have waited before this Apply, and can go on
	deferring    bool       // until what the update brought is integrated
	woken        []*docClient
	pendingBytes int // kept for structs that wait

	arena []byte // where small contents are copied
	slab  []item // items not used yet
	block block

	opened opened
	// reading guards what readers make when they first need it: roots, position indexes and rulers. They may be several.
	reading sync.Mutex
}

// docClient is what a document has of one client.
type docClient struct {
	id      uint64
	end     uint64 // clock after the last struct
	structs structList
	waiting *waiting // nil as long as nothing waits
}

// NewDoc returns an empty document with the default limits.
func NewDoc() *Doc { return DefaultLimits().NewDoc() }

// NewDoc returns an empty document that accepts updates within these limits, and keeps at most MaxBytes of structs that
// wait for others.
func (l Limits) NewDoc() *Doc {
	return &Doc{limits: l.filled(), clients: map[uint64]*docClient{}, roots: map[string]*branch{}, budget: visitsFree}
}

// client returns what there is of a client, made when there is nothing.
func (d *Doc) client(id uint64) *docClient {
	c := d.clients[id]
	if c == nil {
		c = &docClient{id: id}
		d.clients[id] = c
	}
	return c
}

// root returns a root type, made when there is none.
func (d *Doc) root(name string) *branch {
	b := d.roots[name]
	if b == nil {
		b = &branch{name: name, kind: KindRoot}
		d.roots[name] = b
	}
	return b
}

// slabSize is how many items are allocated at once, when there are many.
const slabSize = 128

func (d *Doc) newItem() *item {
	if len(d.slab) == 0 {
		d.slab = make([]item, slabSize)
	}
	it := &d.slab[0]
	d.slab = d.slab[1:]
	return it
}

const (
	arenaSize    = 16 << 10
	arenaMaximum = 1 << 10 // what is longer gets memory of its own
)

// keep copies content. The copy has no room to grow, so that appending to it does not overwrite what comes next.
func (d *Doc) keep(content []byte) []byte {
	n := len(content)
	switch {
	case n == 0:
		return nil
	case n > arenaMaximum:
		return append(make([]byte, 0, n), content...)[:n:n]
	case n > len(d.arena):
		d.arena = make([]byte, arenaSize)
	}
	kept := d.arena[:n:n]
	copy(kept, content)
	d.arena = d.arena[n:]
	return kept
}

// ErrTooComplex says that an update was made to keep documents busy.
//
// From Apply: it has far more inserts at one place that do not know of each other than its size lets expect, so that
// putting them in order would take very long. The document stays as it was when it gave up, somewhere inside the update:
// it can be read, but takes no more updates or edits. From reading and editing a text: there are absurdly many formats.
var ErrTooComplex = errors.New("yjs: too many concurrent inserts or formats at one place")

const (
	// visitsFree is how many comparisons of concurrent inserts every document may make: a second's worth.
	visitsFree = 1 << 26
	// visitsPerByte is how many more it may make for each byte of its updates: fifty clients that have typed offline for an
	// hour at the same place stay far below.
	visitsPerByte = 64
)

// Apply puts an update into the document. It returns a *DecodeError, with the document unchanged, when the update is
// not valid or larger than the limits allow, together with what waits already. It returns ErrTooComplex for updates made
// to keep it busy. It does not keep update.
func (d *Doc) Apply(update []byte) error {
	switch {
	case d.edit.local:
		return ErrInTransaction
	case d.failed != nil:
		return d.failed
	}
	lists, deletes, err := d.scan(update)
	if err != nil {
		return err
	}
	d.serial++
	for _, l := range lists {
		if c := d.client(l.client); l.end > c.end {
			d.ready = append(d.ready, newStretch(d.serial, c, l, update))
		}
	}
	d.typeOpened()
	d.budget += visitsPerByte * uint64(len(update))
	slices.Reverse(d.ready) // lists descend, the last is next
	d.integrateUpdate(update, deletes)
	d.tidy()
	d.collect()
	return d.failed
}

// scannedList is where the structs of one client are in an update.
type scannedList struct {
	client, clock, end uint64
	count              uint64
	from, to           int // bytes
}

// scan reads an update strictly. It returns its lists, clients descending, and where its delete set begins.
func (d *Doc) scan(update []byte) (lists []scannedList, deletes int, err error) {
	limits := d.limits
	limits.MaxBytes -= d.pendingBytes
	u := newUpdateReader(update, limits)
	var clients []uint64
	for u.nextClient() {
		l := scannedList{client: u.client, clock: u.clock, count: u.structsLeft, from: u.pos}
		waits := false
		for u.next(&d.block) {
			waits = waits || d.block.ref != refSkip
		}
		l.end, l.to = u.clock, u.pos
		clients = append(clients, l.client)
		if waits {
			lists = append(lists, l)
		}
	}
	deletes = u.pos
	if err := u.finish(); err != nil {
		return nil, 0, err
	}
	if err := checkDistinct(clients, len(update)); err != nil {
		return nil, 0, err
	}
	slices.SortFunc(lists, func(a, b scannedList) int {
		if a.client > b.client {
			return -1
		}
		return 1
	})
	return lists, deletes, nil
}

// StateVector returns the encoded state vector: for each client the clock up to which the document has everything.
// What waits is not counted.
func (d *Doc) StateVector() []byte {
	state := d.state()
	return state.append(make([]byte, 0, 1+len(state)*10))
}

// state returns the state vector.
func (d *Doc) state() stateVector {
	state := make(stateVector, 0, len(d.clients))
	for _, c := range d.clients {
		if c.end > 0 {
			state = append(state, clientClock{c.id, c.end})
		}
	}
	return state.sorted()
}

// Encode returns the state of the document as one update, with what waits, as Y.encodeStateAsUpdate does.
func (d *Doc) Encode() []byte { return d.encode(nil) }

// EncodeDiff returns the part of Encode that a peer with the given state vector lacks, and all deletes. It returns a
// *DecodeError when stateVector is not valid.
func (d *Doc) EncodeDiff(stateVector []byte) ([]byte, error) {
	known, err := readStateVector(stateVector)
	if err != nil {
		return nil, err
	}
	return d.encode(known), nil
}

// encode returns what lies beyond known.
func (d *Doc) encode(known stateVector) []byte {
	w := newUpdateWriter(0)
	var deletes []deleteRange
	for _, s := range d.state() {
		c := d.clients[s.client]
		deletes = c.appendDeletes(deletes)
		d.encodeClient(w, c, known.clock(c.id))
	}
	state := w.finish(normalise(deletes))
	waiting := d.encodeWaiting(known)
	if len(waiting) == 0 {
		return state
	}
	merged, err := Merge(append(waiting, state)...)
	if err != nil { // every part is an update that this package has just written or validated
		panic(fmt.Sprintf("yjs: what a document encodes is not valid: %v", err))
	}
	return merged
}

// encodeClient writes the structs of a client from a clock on.
func (d *Doc) encodeClient(w *updateWriter, c *docClient, from uint64) {
	if from >= c.end {
		return
	}
	var b block
	for p := c.structs.find(from); ; p = c.structs.next(p) {
		it := c.structs.at(p)
		if it == nil {
			return
		}
		it.asBlock(&b)
		w.run.list = it.entry == nil // what updates do not always tell
		if b.clock < from {
			b.dropLeft(from - b.clock)
		}
		w.add(&b)
	}
}

// appendDeletes appends what is deleted of a client.
func (c *docClient) appendDeletes(deletes []deleteRange) []deleteRange {
	n := len(deletes)
	for _, chunk := range c.structs.chunks {
		for _, it := range chunk.items {
			switch {
			case !it.deleted:
			case len(deletes) > n && deletes[len(deletes)-1].end == it.clock:
				deletes[len(deletes)-1].end = it.end()
			default:
				deletes = append(deletes, deleteRange{c.id, it.clock, it.end()})
			}
		}
	}
	return deletes
}
