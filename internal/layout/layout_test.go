package layout_test

import (
	"errors"
	"math"
	"sort"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// hostile are ids that would break naive keys.
var hostile = []room.ID{
	"a", "A", "-", "_", ".", "..", "../..", "/", "//", "a/", "/a", "a/b", "#", "a#b", "a#meta",
	"room#a", "update#00000000000000000001", "a/snapshots/00000000000000000001-x", "a.2Fb", ".2F", "2F",
	"%2F", " ", "a ", " a", "\x00", "\n", "é", "e\u0301", "😀", "\uFFFD", "ﬀ", "a\\b", "*", "?", "~", "+",
	room.ID(strings.Repeat("a", room.MaxIDBytes)), room.ID(strings.Repeat("/", room.MaxIDBytes)),
	room.ID(strings.Repeat("😀", room.MaxIDBytes/4)),
}

func TestEveryRoomIDFitsTheLimits(t *testing.T) {
	nonce := strings.Repeat("n", layout.MaxNameBytes)
	for _, id := range hostile {
		snapshot, err := layout.SnapshotObject(id, math.MaxUint64, nonce)
		if err != nil {
			t.Fatal(err)
		}
		upload, err := layout.UploadObject(id, nonce)
		if err != nil {
			t.Fatal(err)
		}
		update, err := layout.UpdateObject(id, nonce)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{snapshot, upload, update, layout.LogObject(id, 1, math.MaxUint64)} {
			if len(key) > layout.MaxObjectBytes {
				t.Errorf("%q: object name of %d bytes", id, len(key))
			}
		}
		if n := len(layout.RoomPartition(id)); n > 2048 {
			t.Errorf("%q: partition key of %d bytes", id, n)
		}
	}
}

func TestKeysRoundTrip(t *testing.T) {
	for _, id := range hostile {
		for _, want := range []struct {
			partition, sort string
			key             layout.Key
		}{
			{layout.RoomPartition(id), layout.MetaSort, layout.Key{Kind: layout.KindMeta, Room: id}},
			{layout.RoomPartition(id), layout.MemberSort("c="), layout.Key{Kind: layout.KindMember, Room: id, Connection: "c="}},
			{layout.RoomPartition(id), layout.UpdateSort(7), layout.Key{Kind: layout.KindUpdate, Room: id, Seq: 7}},
			{layout.ConnectionPartition("c="), layout.ConnectionSort, layout.Key{Kind: layout.KindConnection, Connection: "c="}},
			{layout.DirectoryPartition(id), layout.DirectorySort, layout.Key{Kind: layout.KindDirectory, Room: id}},
		} {
			got, err := layout.ParseKey(want.partition, want.sort)
			if err != nil || got != want.key {
				t.Errorf("ParseKey(%q, %q) = %+v, %v; want %+v", want.partition, want.sort, got, err, want.key)
			}
		}
	}
}

func TestObjectsRoundTrip(t *testing.T) {
	for _, id := range hostile {
		snapshot, _ := layout.SnapshotObject(id, 9, "no-n_ce")
		upload, _ := layout.UploadObject(id, "u-1")
		update, _ := layout.UpdateObject(id, "n-1")
		for key, want := range map[string]layout.Object{
			snapshot:                    {Kind: room.ObjectSnapshot, Room: id, To: 9, Name: "no-n_ce"},
			upload:                      {Kind: room.ObjectUpload, Room: id, Name: "u-1"},
			update:                      {Kind: room.ObjectUpdate, Room: id, Name: "n-1"},
			layout.LogObject(id, 3, 12): {Kind: room.ObjectArchive, Room: id, From: 3, To: 12},
		} {
			got, err := layout.ParseObject(key)
			if err != nil || got != want {
				t.Errorf("ParseObject(%q) = %+v, %v; want %+v", key, got, err, want)
			}
			if !strings.HasPrefix(key, layout.RoomFolder(id)) {
				t.Errorf("%q is outside its room's folder %q", key, layout.RoomFolder(id))
			}
		}
	}
}

func TestForeignKeysAreRefused(t *testing.T) {
	keys := [][2]string{
		{"", ""}, {"room#", "meta"}, {"room#a", ""}, {"room#a", "meta "}, {"room#a", "member#"},
		{"room#a", "update#1"}, {"room#a", "update#99999999999999999999"}, {"room#a", "update#+0000000000000000001"},
		{"room#a#b", "meta"}, {"room#a/b", "meta"}, {"room#a.2fb", "meta"}, {"room#.61", "meta"}, {"room#a.", "meta"},
		{"room#a.2", "meta"}, {"room#.G0", "meta"}, {"room#.0G", "meta"}, {"room#.FF", "meta"},
		{"connection#", "connection"}, {"connection#c", "meta"}, {"directory#a", "meta"}, {"other#a", "meta"},
		{"room#" + strings.Repeat("a", room.MaxIDBytes+1), "meta"},
	}
	for _, k := range keys {
		if got, err := layout.ParseKey(k[0], k[1]); !errors.Is(err, layout.ErrKey) {
			t.Errorf("ParseKey(%q, %q) = %+v, %v; want ErrKey", k[0], k[1], got, err)
		}
	}
	for _, key := range []string{
		"", "rooms/", "rooms//", "rooms/a", "rooms/a/", "rooms/a/snapshots", "rooms/a/snapshots/",
		"rooms/a/snapshots/00000000000000000001", "rooms/a/snapshots/00000000000000000001-",
		"rooms/a/snapshots/1-x", "rooms/a/log/00000000000000000001", "rooms/a/log/00000000000000000001-2",
		"rooms/a/uploads/", "rooms/a/uploads/x/y", "rooms/a/uploads/..", "rooms/a/other/x", "other/a/uploads/x",
		"rooms/../uploads/x", "rooms/a/../b/uploads/x",
	} {
		if got, err := layout.ParseObject(key); !errors.Is(err, layout.ErrKey) {
			t.Errorf("ParseObject(%q) = %+v, %v; want ErrKey", key, got, err)
		}
	}
}

func TestOrderOfKeysIsOrderOfSequenceNumbers(t *testing.T) {
	ordered := func(a, b uint64) bool {
		snapshotA, _ := layout.SnapshotObject("r", room.Seq(a), "x")
		snapshotB, _ := layout.SnapshotObject("r", room.Seq(b), "x")
		for _, keys := range [][2]string{
			{layout.UpdateSort(room.Seq(a)), layout.UpdateSort(room.Seq(b))},
			{snapshotA, snapshotB},
			{layout.LogObject("r", room.Seq(a), 1), layout.LogObject("r", room.Seq(b), 1)},
		} {
			if (a < b) != (keys[0] < keys[1]) {
				return false
			}
		}
		return true
	}
	if err := quick.Check(ordered, nil); err != nil {
		t.Error(err)
	}
	edges := []uint64{0, 1, 9, 10, 99, 100, 1 << 32, 1<<53 - 1, 1 << 53, 1 << 63, math.MaxUint64 - 1, math.MaxUint64}
	for _, a := range edges {
		for _, b := range edges {
			if !ordered(a, b) {
				t.Errorf("keys of %d and %d are not ordered as the numbers", a, b)
			}
		}
	}
}

func TestShardsSpreadAndStay(t *testing.T) {
	count := map[string]int{}
	for i := range 16000 {
		id := room.ID("room-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + layout.UpdateSort(room.Seq(i)))
		count[layout.DirtyShard(id)]++
	}
	all := layout.DirtyShards()
	if len(count) != len(all) {
		t.Errorf("%d shards used, want %d", len(count), len(all))
	}
	for _, s := range all {
		if count[s] < 500 || count[s] > 2000 {
			t.Errorf("shard %s holds %d of 16000 rooms", s, count[s])
		}
	}
	for _, active := range []bool{true, false} {
		shards := layout.ActiveShards(active)
		got := layout.ActiveShard("r", active)
		if i := sort.SearchStrings(shards, got); i == len(shards) || shards[i] != got {
			t.Errorf("ActiveShard = %q is not among ActiveShards", got)
		}
	}
}

// checkPair is the property of two rooms: different ids, keys that never meet.
func checkPair(t *testing.T, a, b room.ID) {
	t.Helper()
	if (a == b) != (layout.RoomPartition(a) == layout.RoomPartition(b)) {
		t.Fatalf("%q and %q: partitions %q and %q", a, b, layout.RoomPartition(a), layout.RoomPartition(b))
	}
	if a != b && strings.HasPrefix(layout.RoomFolder(a), layout.RoomFolder(b)) {
		t.Fatalf("the folder of %q lies inside that of %q", a, b)
	}
}

func TestRoomsNeverMeet(t *testing.T) {
	for _, a := range hostile {
		for _, b := range hostile {
			checkPair(t, a, b)
		}
	}
}

func FuzzEscapeRoom(f *testing.F) {
	for i, id := range hostile {
		f.Add(string(id), string(hostile[len(hostile)-1-i]))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if room.ID(a).Validate() != nil || room.ID(b).Validate() != nil {
			t.Skip("not room ids")
		}
		checkPair(t, room.ID(a), room.ID(b))
		enc := layout.EscapeRoom(room.ID(a))
		if strings.ContainsAny(enc, "/#") || enc == "." || enc == ".." {
			t.Fatalf("EscapeRoom(%q) = %q leaves its prefix", a, enc)
		}
		back, err := layout.UnescapeRoom(enc)
		if err != nil || back != room.ID(a) {
			t.Fatalf("UnescapeRoom(%q) = %q, %v; want %q", enc, back, err, a)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("room#a", "meta")
	f.Add("room#.2Fa", "update#00000000000000000001")
	f.Add("connection#c=", "connection")
	f.Add("rooms/a/snapshots/00000000000000000042-9f3a", "rooms/a/log/00000000000000000001-00000000000000000042")
	f.Fuzz(func(t *testing.T, a, b string) {
		if key, err := layout.ParseKey(a, b); err == nil {
			if partition, sort := rebuild(key); partition != a || sort != b {
				t.Fatalf("ParseKey(%q, %q) = %+v, which is %q, %q", a, b, key, partition, sort)
			}
		}
		for _, s := range []string{a, b} {
			o, err := layout.ParseObject(s)
			if err != nil {
				continue
			}
			if !utf8.ValidString(string(o.Room)) {
				t.Fatalf("ParseObject(%q): room is not UTF-8", s)
			}
			if got := rebuildObject(o); got != s {
				t.Fatalf("ParseObject(%q) = %+v, which is %q", s, o, got)
			}
		}
	})
}

func rebuild(k layout.Key) (partition, sort string) {
	switch k.Kind {
	case layout.KindMeta:
		return layout.RoomPartition(k.Room), layout.MetaSort
	case layout.KindMember:
		return layout.RoomPartition(k.Room), layout.MemberSort(k.Connection)
	case layout.KindUpdate:
		return layout.RoomPartition(k.Room), layout.UpdateSort(k.Seq)
	case layout.KindConnection:
		return layout.ConnectionPartition(k.Connection), layout.ConnectionSort
	default:
		return layout.DirectoryPartition(k.Room), layout.DirectorySort
	}
}

func rebuildObject(o layout.Object) (key string) {
	switch o.Kind {
	case room.ObjectSnapshot:
		key, _ = layout.SnapshotObject(o.Room, o.To, o.Name)
	case room.ObjectArchive:
		key = layout.LogObject(o.Room, o.From, o.To)
	case room.ObjectUpload:
		key, _ = layout.UploadObject(o.Room, o.Name)
	case room.ObjectUpdate:
		key, _ = layout.UpdateObject(o.Room, o.Name)
	}
	return key
}
