package gateway

import (
	"bytes"
	"context"
	"sync"
)

// Instances returns a Handler that runs every invocation on an instance of its
// own, made by newHandler and kept for later ones, as Lambda does.
//
// It is needed for what aws-lambda-go's lambda.NewHandler returns: Invoke gives
// back bytes of a buffer that it has already put into the handler's pool, so a
// second Invoke of the same handler, at the same time, writes over the first
// one's answer, and one client would get the frame of another.
func Instances(newHandler func() Handler) Handler {
	return &instances{idle: sync.Pool{New: func() any { return newHandler() }}}
}

type instances struct{ idle sync.Pool }

// Invoke implements Handler. An instance that panics is not used again.
func (i *instances) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	h := i.idle.Get().(Handler)
	answer, err := h.Invoke(ctx, payload)
	answer = bytes.Clone(answer)
	i.idle.Put(h)
	return answer, err
}
