package yjs

// The v2 encoding keeps one column per kind of number, each run-length encoded, and all strings in one
// (yjs src/utils/UpdateDecoder.js UpdateDecoderV2). A few bytes can stand for any number of structs, so what comes out
// is bounded by what went in:

const (
	// v2FreeExpansion is how many bytes of v1 any v2 update may become: as much as it takes milliseconds to find out.
	v2FreeExpansion = 512 << 10
	// v2ExpansionFactor is how many more for each byte of v2. Texts typed backwards and deleted reach hundreds.
	v2ExpansionFactor = 256
)

// ValidateV2 reads a v2 update strictly. It refuses what ConvertV2 refuses.
func ValidateV2(update []byte) error {
	_, err := ConvertV2(update)
	return err
}

// ConvertV2 turns a v2 update (the 'updateV2' event, Y.encodeStateAsUpdateV2) into v1, as Y.convertUpdateFormatV2ToV1.
// The result is canonical.
//
// It returns a *DecodeError for what Validate refuses in v1, and for what Yjs takes only because it reads zeros past the
// end of a column: columns that end too early (ErrTruncated) and ids below zero (ErrNumber). It refuses updates that
// would become larger than half a megabyte and 256 times their size (ErrTooLarge), and, as Yjs does, embeds and format
// values that JSON cannot hold: undefined and big integers (ErrJSON). Bytes left in a column are ignored, as Yjs does.
func ConvertV2(update []byte) ([]byte, error) { return DefaultLimits().ConvertV2(update) }

// ConvertV2 is the function of that name, with these limits.
func (l Limits) ConvertV2(update []byte) ([]byte, error) {
	l = l.filled()
	d := newV2Decoder(update, l)
	budget := v2FreeExpansion
	if len(update) < (l.MaxBytes-budget)/v2ExpansionFactor {
		budget += v2ExpansionFactor * len(update)
	} else {
		budget = l.MaxBytes
	}
	w := newUpdateWriter(len(update))
	clients := d.structs(w, budget)
	deletes := d.deleteSet()
	if err := d.finish(); err != nil {
		return nil, err
	}
	sorted := descending(clients)
	if err := checkDistinct(clients, len(update)); err != nil {
		return nil, err
	}
	out := w.finish(normalise(deletes))
	if len(out) > l.MaxBytes {
		return nil, &DecodeError{Offset: len(update), Err: ErrTooLarge}
	}
	if !sorted {
		return Merge(out)
	}
	return out, nil
}

// v2Decoder reads the columns of a v2 update.
type v2Decoder struct {
	rest       reader
	keyClock   diffColumn
	client     uintColumn
	leftClock  diffColumn
	rightClock diffColumn
	info       byteColumn
	strings    stringColumn
	parentInfo byteColumn
	typeRef    uintColumn
	length     uintColumn

	columns [9]*reader // of the above
	keys    keyTable
	json    []byte // a value as JSON
	scratch []byte // content of the struct being read, where it is not a part of the update
}

// keyTable is the keys read so far. Keys may be many and empty, so they take four bytes each beside their text.
type keyTable struct {
	text []byte
	ends []int32
}

func (k *keyTable) add(key []byte) {
	k.text = append(k.text, key...)
	k.ends = append(k.ends, int32(len(k.text)))
}

func (k *keyTable) key(i uint64) []byte {
	from := int32(0)
	if i > 0 {
		from = k.ends[i-1]
	}
	return k.text[from:k.ends[i]]
}

func newV2Decoder(update []byte, l Limits) *v2Decoder {
	d := &v2Decoder{rest: reader{buf: update, maxDepth: l.MaxDepth}}
	if len(update) > l.MaxBytes {
		d.rest.fail(ErrTooLarge)
		return d
	}
	d.rest.uvarint() // feature flag, unused
	d.columns = [...]*reader{
		&d.keyClock.reader, &d.client.reader, &d.leftClock.reader, &d.rightClock.reader, &d.info.reader,
		&d.strings.lengths.reader, &d.parentInfo.reader, &d.typeRef.reader, &d.length.reader,
	}
	for _, column := range d.columns {
		*column = reader{buf: d.rest.varBytes(), maxDepth: l.MaxDepth}
	}
	d.strings.open()
	return d
}

// failed moves the first failure of any column to rest.
func (d *v2Decoder) failed() bool {
	for _, column := range d.columns {
		if column != nil && column.err != nil && d.rest.err == nil {
			d.rest.err = column.err
		}
	}
	return d.rest.err != nil
}

// finish returns the first error.
func (d *v2Decoder) finish() error {
	if !d.failed() && d.rest.remaining() > 0 {
		d.rest.fail(ErrTrailing)
	}
	return d.rest.err
}

// structs writes all structs to w and returns the clients in their order.
func (d *v2Decoder) structs(w *updateWriter, budget int) []uint64 {
	var clients []uint64
	left := uint64(budget / 2) // a struct takes two bytes at least
	numClients := d.rest.count(2)
	for ; numClients > 0 && !d.failed(); numClients-- {
		count := d.rest.uvarint()
		client := d.client.read()
		clock := d.rest.uvarint()
		clients = append(clients, client)
		for ; count > 0 && !d.failed(); count-- {
			var b block
			d.readBlock(&b, client, clock)
			if left == 0 || len(w.out) > budget {
				d.rest.fail(ErrTooLarge)
			}
			if d.failed() {
				return clients
			}
			left--
			clock = b.end()
			w.add(&b)
		}
	}
	return clients
}

// readBlock reads one struct and translates its content to v1.
func (d *v2Decoder) readBlock(b *block, client, clock uint64) {
	*b = block{client: client, clock: clock}
	info := d.info.read()
	b.ref = info & infoRef
	switch {
	case b.ref == refGC:
		b.length = d.length.read()
	case info == refSkip:
		b.length = d.rest.uvarint()
	case b.ref == refSkip:
		d.rest.fail(ErrContent)
	default:
		d.readPosition(b, info)
		d.readContent(b)
	}
	if b.length > maxSafe-clock {
		d.rest.fail(ErrNumber)
	}
	if b.length == 0 && b.ref != refSkip {
		d.rest.fail(ErrEmptyStruct)
	}
}

func (d *v2Decoder) readPosition(b *block, info byte) {
	if info&infoOrigin != 0 {
		b.hasOrigin, b.origin = true, d.readID(b, &d.leftClock)
	}
	if info&infoRight != 0 {
		b.hasRight, b.right = true, d.readID(b, &d.rightClock)
	}
	if b.hasOrigin || b.hasRight {
		return
	}
	if d.parentInfo.read() == 1 {
		b.parent, b.parentName = parentRoot, d.strings.read()
	} else {
		b.parent, b.parentID = parentItem, d.readID(b, &d.leftClock)
	}
	if info&infoParentSub != 0 {
		b.hasSub, b.sub = true, d.strings.read()
	}
}

func (d *v2Decoder) readID(b *block, clocks *diffColumn) ID {
	id := ID{Client: d.client.read(), Clock: clocks.read()}
	if id.Client == b.client && id.Clock >= b.clock {
		d.rest.fail(ErrSelfReference)
	}
	return id
}

// readContent sets b.content, as block has it, and b.length.
func (d *v2Decoder) readContent(b *block) {
	b.length = 1
	switch b.ref {
	case refDeleted:
		b.length = d.length.read()
	case refJSON:
		b.length = d.length.read()
		d.readJSONElements(b)
	case refBinary:
		d.scratch = appendVarBytes(d.scratch[:0], d.rest.varBytes())
		b.content = d.scratch
	case refString:
		b.content = d.strings.read()
		b.length = uint64(utf16Len(b.content))
	case refEmbed:
		b.content = d.readJSON(d.scratch[:0])
	case refFormat:
		b.content = d.readJSON(appendVarBytes(d.scratch[:0], d.readKey()))
	case refType:
		d.readType(b)
	case refAny:
		b.length = d.length.read()
		start := d.rest.pos
		if b.length > uint64(d.rest.remaining()) {
			d.rest.fail(ErrTruncated)
			return
		}
		for n := b.length; n > 0 && d.rest.err == nil; n-- {
			d.rest.skipAny()
		}
		b.content = d.rest.buf[start:d.rest.pos]
	case refDoc:
		d.scratch = appendVarBytes(d.scratch[:0], d.strings.read())
		start := d.rest.pos
		if tag := d.rest.skipAny(); tag == anyUndefined || tag == anyNull {
			d.rest.fail(ErrContent)
		}
		d.scratch = append(d.scratch, d.rest.buf[start:d.rest.pos]...)
		b.content = d.scratch
	default:
		d.rest.fail(ErrContent)
	}
}

// readJSONElements reads b.length strings of JSON.
func (d *v2Decoder) readJSONElements(b *block) {
	d.scratch = d.scratch[:0]
	for n := b.length; n > 0; n-- {
		s := d.strings.read()
		if d.failed() {
			return
		}
		if string(s) != "undefined" {
			if err := checkJSON(s, d.rest.maxDepth); err != nil {
				d.rest.fail(err)
				return
			}
		}
		d.scratch = appendVarBytes(d.scratch, s)
		b.content = d.scratch
	}
}

func (d *v2Decoder) readType(b *block) {
	ref := d.typeRef.read()
	switch {
	case ref == typeXMLElement || ref == typeXMLHook:
		d.scratch = appendVarBytes(append(d.scratch[:0], byte(ref)), d.readKey())
		b.content = d.scratch
	case ref > typeXMLText:
		d.rest.fail(ErrContent)
	default:
		d.scratch = append(d.scratch[:0], byte(ref))
		b.content = d.scratch
	}
}

// readKey reads a key: one seen before, by its number, or a new one.
func (d *v2Decoder) readKey() []byte {
	if n := d.keyClock.read(); n < uint64(len(d.keys.ends)) {
		return d.keys.key(n)
	}
	key := d.strings.read()
	if !d.failed() {
		d.keys.add(key)
	}
	return key
}

// readJSON reads a lib0 value and appends it to out as a v1 string of JSON.
func (d *v2Decoder) readJSON(out []byte) []byte {
	d.json = d.rest.appendJSON(d.json[:0], 0)
	d.scratch = appendVarBytes(out, d.json)
	return d.scratch
}

// deleteSet reads the delete set, in which clocks are differences and lengths one less.
func (d *v2Decoder) deleteSet() []deleteRange {
	var ranges []deleteRange
	if d.failed() {
		return nil
	}
	for clients := d.rest.count(2); clients > 0 && d.rest.err == nil; clients-- {
		client := d.rest.uvarint()
		clock := uint64(0)
		for n := d.rest.count(2); n > 0 && d.rest.err == nil; n-- {
			gap, length := d.rest.uvarint(), d.rest.uvarint()+1
			if gap > maxSafe-clock || length > maxSafe-clock-gap {
				d.rest.fail(ErrNumber)
				return nil
			}
			ranges = append(ranges, deleteRange{client, clock + gap, clock + gap + length})
			clock += gap + length
		}
	}
	return ranges
}
