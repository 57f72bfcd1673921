package yjs

// Validate reads a v1 update strictly and returns nil or a *DecodeError. It allocates next to nothing and takes time
// linear in len(update).
//
// It accepts what Y.applyUpdate and Y.mergeUpdates accept, apart from these, which Yjs takes and which are refused here
// because peers would see different documents, or crash, afterwards:
//
//   - bytes behind the delete set (ErrTrailing);
//   - a number above 2^53-1, a clock range that ends above it, or a number padded beyond ten bytes (ErrNumber);
//   - values nested deeper than Limits.MaxDepth (ErrDepth), updates longer than Limits.MaxBytes (ErrTooLarge);
//   - an item or GC struct of length zero, which shares its clock with the next one, and a delete range of length zero,
//     on which applyUpdate throws when its target is missing (ErrEmptyStruct);
//   - two struct lists for one client: applyUpdate sees the last, mergeUpdates both (ErrDuplicateClient);
//   - an item that names itself or a later item of its client as a neighbour or parent (ErrSelfReference). Yjs throws
//     on it as soon as it is reached, which is not at once when it waits for another update;
//   - a Skip with flags (ErrContent): applyUpdate takes it, mergeUpdates throws.
func Validate(update []byte) error { return DefaultLimits().Validate(update) }

// Validate is the function of that name, with these limits.
func (l Limits) Validate(update []byte) error {
	var u updateReader
	u.start(update, l.filled())
	var clients []uint64
	var b block
	for u.nextClient() {
		clients = append(clients, u.client)
		for u.next(&b) {
		}
	}
	if err := u.finish(); err != nil {
		return err
	}
	return checkDistinct(clients, len(update))
}

// checkDistinct refuses a client that comes twice. It sorts clients.
func checkDistinct(clients []uint64, size int) error {
	if descending(clients) {
		return nil
	}
	sortDescending(clients)
	if !descending(clients) {
		return &DecodeError{Offset: size, Err: ErrDuplicateClient}
	}
	return nil
}
