package yjs

import "sort"

// placed is where one struct of a store is: 16 bytes.
type placed struct {
	clock uint64
	at    int32
	ref   uint8
	state uint8 // for whoever uses the store
}

// storeClient is the structs of one client in a store.
type storeClient struct {
	client uint64
	end    uint64 // clock after the last struct
	blocks []placed
}

// store finds the structs of one strictly read update by id. Skips are in it too, so that a struct ends where the next
// one begins.
type store struct {
	buf     []byte
	clients []storeClient // client descending
}

// storeOf builds a store of the only update of x.
func storeOf(x *index) *store {
	s := &store{buf: x.updates[0], clients: make([]storeClient, 0, len(x.lists))}
	n := uint64(0)
	for _, l := range x.lists {
		n += l.count
	}
	all := make([]placed, 0, n)
	var b block
	for _, l := range x.lists {
		r := reader{buf: s.buf, pos: l.at, maxDepth: len(s.buf), trusted: true}
		clock, first := l.clock, len(all)
		for i := uint64(0); i < l.count; i++ {
			at := r.pos
			r.readBlock(&b, l.client, clock)
			clock += b.length
			if b.length > 0 {
				all = append(all, placed{clock: b.clock, at: int32(at), ref: b.ref})
			}
		}
		s.clients = append(s.clients, storeClient{client: l.client, end: clock, blocks: all[first:len(all):len(all)]})
	}
	return s
}

// client returns the index of a client in s.clients.
func (s *store) client(client uint64) (int, bool) {
	i := sort.Search(len(s.clients), func(i int) bool { return s.clients[i].client <= client })
	return i, i < len(s.clients) && s.clients[i].client == client
}

// endOf returns the clock after struct i.
func (c *storeClient) endOf(i int) uint64 {
	if i+1 < len(c.blocks) {
		return c.blocks[i+1].clock
	}
	return c.end
}

// read reads a struct into b.
func (s *store) read(client, i int, b *block) {
	c := &s.clients[client]
	r := reader{buf: s.buf, pos: int(c.blocks[i].at), maxDepth: len(s.buf), trusted: true}
	r.readBlock(b, c.client, c.blocks[i].clock)
}

// readHead reads all of a struct but its content, in time that does not depend on its content.
func (s *store) readHead(client, i int, b *block) {
	c := &s.clients[client]
	*b = block{client: c.client, clock: c.blocks[i].clock, ref: c.blocks[i].ref}
	b.length = c.endOf(i) - b.clock
	if b.isItem() {
		r := reader{buf: s.buf, pos: int(c.blocks[i].at), trusted: true}
		r.readPosition(b, r.byte())
	}
}

// find looks up the struct that has id. Skips are not found.
func (s *store) find(id ID) (client, i int, found bool) {
	client, found = s.client(id.Client)
	if !found {
		return 0, 0, false
	}
	c := &s.clients[client]
	i = sort.Search(len(c.blocks), func(i int) bool { return c.blocks[i].clock > id.Clock }) - 1
	return client, i, i >= 0 && id.Clock < c.endOf(i) && c.blocks[i].ref != refSkip
}
