package yjs

// DeleteAll returns the update that deletes everything update has: every clock of every struct, those behind a gap
// too. Compact(Merge(update, DeleteAll(update))) is what is left of a document whose content is to go for good: the
// identities of what there was, so that no copy elsewhere brings it back, the names of root types and the keys of maps.
func DeleteAll(update []byte) ([]byte, error) {
	c, err := readCoverage(update, DefaultLimits())
	if err != nil {
		return nil, err
	}
	return c.structs.appendTo(appendUvarint(nil, 0)), nil
}
