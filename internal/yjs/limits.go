package yjs

import "math"

// Limits bounds what a decoder accepts. A field that is zero means its default.
type Limits struct {
	// MaxBytes is the largest update accepted, and the largest ConvertV2 produces. No more than 2 GiB.
	MaxBytes int
	// MaxDepth is the deepest nesting of arrays and objects inside one value (lib0 Any or JSON).
	MaxDepth int
}

const (
	// DefaultMaxBytes is 1 GiB: far above what a browser can load, low enough that offsets fit 31 bits.
	DefaultMaxBytes = 1 << 30
	// DefaultMaxDepth is 1,024: lib0 decodes values recursively, so much deeper ones overflow the stack of the
	// browsers that receive them.
	DefaultMaxDepth = 1024
)

// DefaultLimits returns the limits used by the functions of this package.
func DefaultLimits() Limits {
	return Limits{MaxBytes: DefaultMaxBytes, MaxDepth: DefaultMaxDepth}
}

// filled returns l with defaults for the fields that are zero.
func (l Limits) filled() Limits {
	if l.MaxBytes > math.MaxInt32 {
		l.MaxBytes = math.MaxInt32
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	return l
}
