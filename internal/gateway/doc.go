// Package gateway behaves like Amazon API Gateway's WebSocket API, on this
// machine: it holds the sockets, turns connects, messages and disconnects into
// JSON events, invokes functions with them, and lets a backend post to
// connections. It is strict by default: what the real gateway refuses, this
// one refuses in the same way, so that nothing works here that fails there.
//
// It knows nothing about what the messages mean. docs/GATEWAY.md lists every
// rule with the AWS page it comes from and the known differences.
//
// A Gateway is an http.Handler for one stage: `/{stage}` takes upgrades,
// `/{stage}/@connections/{id}` is the management API. Functions are invoked
// through an Invoker: in this process, or over HTTP (HTTPInvoker) when several
// gateway processes share one backend. A connection id names the gateway that
// holds it (Number), so a backend posts through a Fleet, or to any gateway
// that knows its peers.
//
// Per idle connection there is one goroutine and no buffer: the reader waits
// for the socket to become readable before it takes a buffer from a pool, and
// a writer goroutine exists only while something waits to be written.
package gateway
