package dashboard

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tree, walked page by page, is the document.
func TestTreeIsTheDocument(t *testing.T) {
	long := strings.Repeat("ä€😀 ", 20_000)
	shapes := map[string]any{}
	for i := range 250 {
		shapes[fmt.Sprint("shape ", i)] = map[string]any{"x": float64(i), "on": i%2 == 0, "none": nil}
	}
	want := map[string]any{"shapes": shapes, "a/b~c": []any{1.5, "two", []any{}, map[string]any{}, true}, "long": long, "": map[string]any{"": "x"}}
	doc, err := json.Marshal(want)
	require.NoError(t, err)
	w := newWorld(t)
	w.rooms.documents["plan"] = string(doc)
	w.Catalog.Put(entry("plan", 1, 3, noon), noon)
	ask := func(path string, offset int) node {
		return get[node](w, fmt.Sprintf("/api/room/document?room=plan&path=%s&offset=%d", url.QueryEscape(path), offset))
	}
	var walk func(path string) any
	walk = func(path string) any {
		n := ask(path, 0)
		if n.Type == "string" {
			text := n.Text
			for n.Next > 0 {
				n = ask(path, n.Next)
				text += n.Text
			}
			return text
		}
		object, array := map[string]any{}, []any{}
		for {
			for _, c := range n.Children {
				var v any
				switch c.Type {
				case "object", "array", "string":
					v = walk(path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(c.Key))
				default:
					require.NoError(t, json.Unmarshal([]byte(c.Preview), &v))
				}
				object[c.Key] = v
				array = append(array, v)
			}
			if n.Next == 0 {
				break
			}
			n = ask(path, n.Next)
		}
		if n.Type == "array" {
			return array
		}
		return object
	}
	require.Equal(t, any(want), walk(""))
	require.Equal(t, 1, w.rooms.reads, "the document was read once")

	root := ask("", 0)
	require.Equal(t, 4, root.Size)
	for _, c := range root.Children {
		if c.Key == "long" {
			require.Equal(t, 80_000, c.Size)
			require.Len(t, []rune(c.Preview), previewRunes)
		}
	}
	w.Catalog.Put(entry("plan", 1, 4, noon), noon)
	ask("", 0)
	require.Equal(t, 2, w.rooms.reads, "another version is read again")

	status, _, _ := w.do("GET", "/api/room/document?room=plan&path=/nothing", "", nil)
	require.Equal(t, 404, status)
	status, _, _ = w.do("GET", "/api/room/document?room=other", "", nil)
	require.Equal(t, 404, status)
}
