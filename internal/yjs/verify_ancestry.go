package yjs

// ancestry answers whether structs are inside deleted types, from the merge of all inputs. It is used by
// VerifyCompaction only, and is deliberately not what Compact uses: it asks for one struct at a time, walking up.
type ancestry struct {
	store   *store
	deletes deleteSet
	known   map[visit]bool
}

func newAncestry(in *index) *ancestry {
	merged := in.merge()
	x, err := indexOf(Limits{MaxBytes: len(merged)}.filled(), merged)
	if err != nil {
		return &ancestry{store: &store{}} // cannot be: merge writes valid updates; nothing is found then
	}
	return &ancestry{store: storeOf(x), deletes: x.deletes, known: map[visit]bool{}}
}

// allInDeleted says whether every clock of r is in a deleted type, and otherwise which is the first that is not.
func (a *ancestry) allInDeleted(r deleteRange) (ID, bool) {
	for id := (ID{r.client, r.clock}); id.Clock < r.end; {
		client, i, found := a.store.find(id)
		if !found {
			return id, false
		}
		if !a.inDeleted(visit{client, i}) {
			return id, false
		}
		id.Clock = a.store.clients[client].endOf(i)
	}
	return ID{}, true
}

// inDeleted walks from one struct to what holds it until it meets something deleted, the root, or something unknown.
func (a *ancestry) inDeleted(v visit) bool {
	var path []visit
	onPath := map[visit]bool{}
	answer := false
	for {
		if known, ok := a.known[v]; ok {
			answer = known
			break
		}
		if onPath[v] {
			break
		}
		path, onPath[v] = append(path, v), true
		up, verdict := a.up(v)
		if verdict != walkOn {
			answer = verdict == walkDeleted
			break
		}
		v = up
	}
	for _, p := range path {
		a.known[p] = answer
	}
	return answer
}

// walk is what one step up leads to.
type walk uint8

const (
	walkOn      walk = iota
	walkDeleted      // inside something deleted
	walkLive         // at the root, or unknown
)

// up makes one step: to the struct from which v takes its parent, or to the item that is its parent.
func (a *ancestry) up(v visit) (visit, walk) {
	var b block
	a.store.readHead(v.client, v.i, &b)
	var id ID
	switch {
	case b.ref == refGC:
		return v, walkDeleted
	case b.hasOrigin:
		id = b.origin
	case b.hasRight:
		id = b.right
	case b.parent == parentItem:
		id = b.parentID
	default:
		return v, walkLive
	}
	client, i, found := a.store.find(id)
	if !found {
		return v, walkLive
	}
	above := visit{client, i}
	switch ref := a.store.clients[client].blocks[i].ref; {
	case ref == refGC:
		return above, walkDeleted
	case b.parent != parentItem:
		return above, walkOn
	case ref == refDeleted || ref == refType && a.deletes.contains(id):
		return above, walkDeleted
	case ref != refType:
		return above, walkLive
	}
	return above, walkOn
}
