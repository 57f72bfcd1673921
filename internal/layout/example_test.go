package layout_test

import (
	"fmt"

	"github.com/symphony-rt/symphony/internal/layout"
)

func ExampleEscapeRoom() {
	fmt.Println(layout.EscapeRoom("team-board_7"))
	fmt.Println(layout.EscapeRoom("v1.2"))
	fmt.Println(layout.EscapeRoom("../tea#m/é"))
	// Output:
	// team-board_7
	// v1.2E2
	// .2E.2E.2Ftea.23m.2F.C3.A9
}

func ExampleRoomPartition() {
	fmt.Println(layout.RoomPartition("whiteboard"), layout.MetaSort)
	fmt.Println(layout.RoomPartition("whiteboard"), layout.MemberSort("L0SM9cOFvHcCIhw="))
	fmt.Println(layout.RoomPartition("whiteboard"), layout.UpdateSort(42))
	// Output:
	// room#whiteboard meta
	// room#whiteboard member#L0SM9cOFvHcCIhw=
	// room#whiteboard update#00000000000000000042
}

func ExampleConnectionPartition() {
	fmt.Println(layout.ConnectionPartition("L0SM9cOFvHcCIhw="), layout.ConnectionSort)
	// Output: connection#L0SM9cOFvHcCIhw= connection
}

func ExampleDirectoryPartition() {
	fmt.Println(layout.DirectoryPartition("whiteboard"), layout.DirectorySort)
	fmt.Println(layout.ActiveShard("whiteboard", true), layout.ActiveShard("whiteboard", false))
	// Output:
	// directory#whiteboard directory
	// active#14 idle#14
}

func ExampleDirtyShard() {
	fmt.Println(layout.DirtyShard("whiteboard"), len(layout.DirtyShards()))
	// Output: dirty#14 16
}

func ExampleSnapshotObject() {
	fmt.Println(layout.SnapshotObject("whiteboard", 42, "9f3a"))
	_, err := layout.SnapshotObject("whiteboard", 42, "../x")
	fmt.Println(err)
	// Output:
	// rooms/whiteboard/snapshots/00000000000000000042-9f3a <nil>
	// layout: not a key of this layout: name "../x"
}

func ExampleLogObject() {
	fmt.Println(layout.LogObject("whiteboard", 1, 42))
	// Output: rooms/whiteboard/log/00000000000000000001-00000000000000000042
}

func ExampleUploadObject() {
	fmt.Println(layout.UploadObject("whiteboard", "2f1c9b0e-6d0b-4a55-9d0e-3f1a2b3c4d5e"))
	_, err := layout.UploadObject("whiteboard", "../../secret/uploads/1")
	fmt.Println(err)
	// Output:
	// rooms/whiteboard/uploads/2f1c9b0e-6d0b-4a55-9d0e-3f1a2b3c4d5e <nil>
	// layout: not a key of this layout: name "../../secret/uploads/1"
}

func ExampleUpdateObject() {
	fmt.Println(layout.UpdateObject("whiteboard", "9f3a"))
	// Output: rooms/whiteboard/updates/9f3a <nil>
}

func ExampleParseKey() {
	fmt.Println(layout.ParseKey("room#tea.23m", "update#00000000000000000042"))
	// Output: {update tea#m  42} <nil>
}

func ExampleParseObject() {
	fmt.Println(layout.ParseObject("rooms/tea.23m/snapshots/00000000000000000042-9f3a"))
	// Output: {snapshot tea#m 0 42 9f3a} <nil>
}
