// Package yjs is a Yjs update engine: it validates, merges, diffs, compacts, splits and verifies encoded updates
// without building a document, and (see Doc) reads and edits documents when one is wanted.
//
// # Updates
//
// An update is the binary message Yjs exchanges: a list of structs per client and a delete set. All functions take and
// return the v1 encoding, which is what Y.encodeStateAsUpdate, Y.mergeUpdates and the 'update' event produce; ConvertV2
// turns the v2 encoding into v1. The format is documented by its source only: yjs 13.6, src/utils/encoding.js,
// src/utils/updates.js, src/utils/UpdateDecoder.js and lib0/decoding.js.
//
// Functions come in two kinds. Those that answer a question (Validate, StateVector, Contains, Equal, Stats and so on)
// read their input once. Those that make a new update (Merge, Diff, Compact, Split, ConvertV2) copy content bytes
// without decoding them: nothing is lost through a Go value in between, so -0, lone surrogates inside JSON, map keys
// of length zero and values no Go type can hold all survive.
//
// # Inputs are hostile
//
// Every function validates its input completely before it uses it, with memory bounded by the size of the input, and
// returns a *DecodeError that wraps one of the sentinel errors of this package. What is refused although Yjs itself
// would take it is listed at Validate.
//
// # Outputs are canonical
//
// Output is deterministic: clients descend, clocks ascend, delete ranges are sorted and joined, numbers are minimal,
// gaps are Skip structs, and structs that Yjs would join are joined. Output never shares memory with an input.
//
// There is no global mutable state: all functions are safe for concurrent use as long as nobody writes to the slices
// passed in.
package yjs
