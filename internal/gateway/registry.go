package gateway

import (
	"hash/maphash"
	"sync"
)

const registryShards = 64

// registry finds connections by id. It is split so that 20,000 connections
// being posted to do not meet at one lock.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]struct {
		sync.RWMutex
		conns map[string]*conn
	}
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].conns = make(map[string]*conn)
	}
	return r
}

func (r *registry) shard(id string) int {
	return int(maphash.String(r.seed, id) % registryShards)
}

func (r *registry) add(c *conn) {
	s := &r.shards[r.shard(c.id)]
	s.Lock()
	s.conns[c.id] = c
	s.Unlock()
}

// get returns nil when there is no such connection.
func (r *registry) get(id string) *conn {
	s := &r.shards[r.shard(id)]
	s.RLock()
	defer s.RUnlock()
	return s.conns[id]
}

func (r *registry) remove(c *conn) {
	s := &r.shards[r.shard(c.id)]
	s.Lock()
	if s.conns[c.id] == c {
		delete(s.conns, c.id)
	}
	s.Unlock()
}

func (r *registry) len() int {
	n := 0
	for i := range r.shards {
		s := &r.shards[i]
		s.RLock()
		n += len(s.conns)
		s.RUnlock()
	}
	return n
}

// each calls f with every connection, outside any lock.
func (r *registry) each(f func(*conn)) {
	var batch []*conn
	for i := range r.shards {
		s := &r.shards[i]
		batch = batch[:0]
		s.RLock()
		for _, c := range s.conns {
			batch = append(batch, c)
		}
		s.RUnlock()
		for _, c := range batch {
			f(c)
		}
	}
}
