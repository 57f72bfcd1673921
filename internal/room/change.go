package room

import "time"

// Change is one committed change of a room: what DynamoDB's stream says with
// new and old images, as the embedded stores report it. Exactly one of Meta,
// Member and Update is set.
//
// Changes of one room arrive in the order in which they were committed, each
// once, and only after it is durable. A store that dies may have committed
// changes it never reported.
type Change struct {
	Room   ID
	At     time.Time
	Meta   Images[Meta]
	Member Images[Member]
	Update Images[UpdateImage]
}

// Images are the two sides of a change: Old is nil for something new, New is
// nil for something removed.
type Images[T any] struct {
	Old, New *T
}

// UpdateImage is a log entry as a Change reports it: without its bytes.
type UpdateImage struct {
	Seq        Seq
	Size       int
	Author     string
	Connection ConnectionID
	At         time.Time
}
