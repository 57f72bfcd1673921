package yjs_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// A server makes a document, edits it, and a client's document gets the update.
func ExampleDoc_Transact() {
	server := yjs.NewDoc()
	update, err := server.Transact(1, func(tx *yjs.Tx) error {
		title := tx.Text("title")
		title.Insert(0, "Hello, world")
		title.Format(0, 5, map[string]any{"bold": true})
		return tx.Array("shapes").Push(
			yjs.MapOf{"kind": "rect", "label": yjs.TextOf("box")},
			map[string]any{"plain": []any{1, nil, "json"}},
		)
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	client := yjs.NewDoc()
	if err := client.Apply(update); err != nil {
		fmt.Println(err)
		return
	}
	delta, err := client.Text("title").Delta()
	for _, op := range delta {
		fmt.Printf("%q %v\n", op.Insert, op.Attributes)
	}
	fmt.Println(err)
	shapes, err := client.AppendJSON(nil, "shapes")
	fmt.Println(string(shapes), err)
	// Output:
	// "Hello" [{bold true}]
	// ", world" []
	// <nil>
	// [{"kind":"rect","label":"box"},{"plain":[1,null,"json"]}] <nil>
}

// Updates may come in any order. What waits for others is reported.
func ExampleDoc_Pending() {
	source := yjs.NewDoc()
	write := func(text string) []byte {
		update, _ := source.Transact(7, func(tx *yjs.Tx) error { return tx.Text("t").Insert(tx.Text("t").Len(), text) })
		return update
	}
	first, second := write("to be "), write("or not")

	doc := yjs.NewDoc()
	doc.Apply(second)
	fmt.Printf("%q %+v\n", doc.Text("t"), doc.Pending())
	doc.Apply(first)
	fmt.Printf("%q %v\n", doc.Text("t"), doc.Pending().IsZero())
	// Output:
	// "" {Structs:6 Deletes:0 Missing:[{Client:7 Clock:0}]}
	// "to be or not" true
}

func ExampleAwareness() {
	room := yjs.NewAwareness()
	now := time.Unix(0, 0)
	update := yjs.EncodeAwareness([]yjs.AwarenessState{{Client: 7, Clock: 1, State: json.RawMessage(`{"cursor":3}`)}})
	change, err := room.Apply(update, now)
	fmt.Println(change.Added, err)
	fmt.Println(room.Expire(now.Add(time.Minute), yjs.AwarenessTimeout), len(room.States()))
	// Output:
	// [7] <nil>
	// [7] 0
}
