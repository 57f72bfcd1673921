package room

import "context"

type unhurriedKey struct{}

// Unhurried returns a context for work that nobody waits for, such as a
// checkpoint's: a store may let its writes wait some milliseconds for others,
// to share what a write costs. They are as durable as any when they return.
func Unhurried(ctx context.Context) context.Context {
	return context.WithValue(ctx, unhurriedKey{}, true)
}

// IsUnhurried reports whether ctx came from Unhurried.
func IsUnhurried(ctx context.Context) bool { return ctx.Value(unhurriedKey{}) != nil }
