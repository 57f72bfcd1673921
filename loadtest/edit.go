package loadtest

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// Edits are Yjs v1 updates (yjs: src/utils/encoding.js, src/structs/Item.js),
// written by hand so that a process can make thousands a second: one text item
// put behind the author's last one.

const (
	// firstClient is the Yjs client id of a room's first member; the others
	// follow. Ids of this size take five bytes, as Yjs's random ones mostly do.
	firstClient = 1 << 28
	// root is the name of the shared text that everybody types into.
	root = "text"
	// maxText bounds an edit's text: it must fit a message of the target.
	maxText = 20_000

	infoString    = 4
	infoHasOrigin = 0x80
)

// edit returns the update of client inserting text at clock: the first thing
// in the root, or behind its own previous character.
func edit(client, clock uint64, text string) []byte {
	u := make([]byte, 0, len(text)+32)
	u = append(u, 1, 1) // one client, one struct
	u = binary.AppendUvarint(u, client)
	u = binary.AppendUvarint(u, clock)
	if clock == 0 {
		u = append(u, infoString, 1) // the parent is a root, by name
		u = appendText(u, root)
	} else {
		u = append(u, infoString|infoHasOrigin)
		u = binary.AppendUvarint(u, client)
		u = binary.AppendUvarint(u, clock-1)
	}
	return append(appendText(u, text), 0) // no deletions
}

func appendText(u []byte, text string) []byte {
	return append(binary.AppendUvarint(u, uint64(len(text))), text...)
}

// marker is the text of an author's edit n, size bytes long: it can be read in
// the document, should anybody look.
func marker(client uint64, n, size int) string {
	s := fmt.Sprintf("[%d/%d]", client-firstClient, n)
	for len(s) < size {
		s += "abcdefghijklmnopqrstuvwxyz"[:min(26, size-len(s))]
	}
	return s[:size]
}

// presence is the awareness update (y-protocols: awareness.js) of client, its
// clock-th, with a cursor as an editor sends it.
func presence(client, clock uint64, x, y int) []byte {
	state := `{"user":{"name":"user ` + strconv.FormatUint(client-firstClient, 10) + `","color":"#30bced"},"cursor":{"x":` +
		strconv.Itoa(x) + `,"y":` + strconv.Itoa(y) + `}}`
	u := make([]byte, 0, len(state)+16)
	u = append(u, 1)
	u = binary.AppendUvarint(u, client)
	u = binary.AppendUvarint(u, clock)
	return appendText(u, state)
}
