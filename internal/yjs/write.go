package yjs

// Tx is a transaction of a writer.
type Tx struct{ doc *Doc }
