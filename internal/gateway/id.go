package gateway

import (
	"encoding/base64"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
)

// AWS's connection and request ids are 16 characters of padded base64url,
// which is 11 bytes ("R1kmxc2VNjMCFIA="). Ours have the same shape. The first
// two bytes of a connection id are the number of the gateway that holds it;
// the other nine cannot be guessed.
const (
	idBytes     = 11
	idLength    = 16
	numberBytes = 2
)

// NumberOf returns the number of the gateway that a connection id names; ok is
// false when id cannot be one of ours.
func NumberOf(id string) (number uint16, ok bool) {
	if len(id) != idLength {
		return 0, false
	}
	var raw [idBytes + 1]byte // what DecodedLen says for 16 characters
	n, err := base64.URLEncoding.Strict().Decode(raw[:], []byte(id))
	if err != nil || n != idBytes {
		return 0, false
	}
	return binary.BigEndian.Uint16(raw[:]), true
}

// ids makes connection ids from the configured randomness and request and
// message ids, which need no secrecy and are made for every message, from a
// generator seeded with it.
type ids struct {
	number uint16
	source io.Reader

	mu   sync.Mutex
	fast *rand.ChaCha8
}

func newIDs(number uint16, source io.Reader) (*ids, error) {
	var seed [32]byte
	if _, err := io.ReadFull(source, seed[:]); err != nil {
		return nil, err
	}
	return &ids{number: number, source: source, fast: rand.NewChaCha8(seed)}, nil
}

func (g *ids) connection() (string, error) {
	var raw [idBytes]byte
	binary.BigEndian.PutUint16(raw[:], g.number)
	g.mu.Lock()
	_, err := io.ReadFull(g.source, raw[numberBytes:])
	g.mu.Unlock()
	if err != nil {
		return "", err
	}
	return base64.URLEncoding.EncodeToString(raw[:]), nil
}

// request returns a new id as text.
func (g *ids) request() [idLength]byte {
	var raw [idBytes]byte
	g.mu.Lock()
	g.fast.Read(raw[:]) // never fails
	g.mu.Unlock()
	var id [idLength]byte
	base64.URLEncoding.Encode(id[:], raw[:])
	return id
}
