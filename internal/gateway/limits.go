package gateway

import "time"

// Limits are the quotas the gateway enforces. DefaultLimits has AWS's values.
// Source, unless a field says otherwise: "Quotas for configuring and running a
// WebSocket API in API Gateway"
// (apigateway-execution-service-websocket-limits-table.html).
type Limits struct {
	// Frame is the payload of one WebSocket frame in bytes; more closes the
	// connection with 1009.
	Frame int
	// Message is the payload of one message in bytes, in all its frames; more
	// closes with 1009, and a larger post gets 413.
	Message int
	// Idle ends a connection on which no message went either way for so long.
	Idle time.Duration
	// Lifetime ends every connection.
	Lifetime time.Duration
	// Integration is how long a function may take to answer.
	Integration time.Duration
	// URL is the length in characters of the upgrade's URL.
	URL int
	// AuthorizerResult is the size in bytes of what an authorizer returns.
	AuthorizerResult int
	// ConnectRate is new connections a second; ConnectBurst the bucket's size.
	// AWS names only the rate, so the bucket holds one second of it.
	ConnectRate, ConnectBurst float64
	// RequestRate and RequestBurst are the account's token bucket: a connect,
	// a message, a post and a look-up are one request each. Source: "Amazon
	// API Gateway quotas" (limits.html), "Throttle quota per account, per
	// Region": 10,000 requests a second, burst 5,000. The bucket is this
	// process's: several gateways that stand for one account share it out.
	RequestRate, RequestBurst float64

	// The rest is ours: AWS does not say what it does, but memory is finite.

	// ConnectionConcurrency bounds the messages of one connection that are in
	// its functions at once; the next one is not read until one returns.
	ConnectionConcurrency int
	// SendBuffer bounds the bytes and SendQueue the messages that wait to be
	// written to one connection. A post beyond gets 429: "the WebSocket client
	// side buffer is full" (LimitExceededException).
	SendBuffer, SendQueue int
	// SlowReader disconnects a client that has taken nothing for so long while
	// something waited to be written to it.
	SlowReader time.Duration
	// CloseGrace is how long a client may take to answer a close frame.
	CloseGrace time.Duration
}

// DefaultLimits are AWS's default quotas.
func DefaultLimits() Limits {
	return Limits{
		Frame:                 32 << 10,
		Message:               128 << 10,
		Idle:                  10 * time.Minute,
		Lifetime:              2 * time.Hour,
		Integration:           29 * time.Second,
		URL:                   4096,
		AuthorizerResult:      8 << 10,
		ConnectRate:           500,
		ConnectBurst:          500,
		RequestRate:           10_000,
		RequestBurst:          5_000,
		ConnectionConcurrency: 32,
		SendBuffer:            4 << 20,
		SendQueue:             1024,
		SlowReader:            30 * time.Second,
		CloseGrace:            5 * time.Second,
	}
}

// withDefaults fills zero fields with AWS's values.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.Frame, d.Frame)
	orDefault(&l.Message, d.Message)
	orDefault(&l.Idle, d.Idle)
	orDefault(&l.Lifetime, d.Lifetime)
	orDefault(&l.Integration, d.Integration)
	orDefault(&l.URL, d.URL)
	orDefault(&l.AuthorizerResult, d.AuthorizerResult)
	orDefault(&l.ConnectRate, d.ConnectRate)
	orDefault(&l.ConnectBurst, d.ConnectBurst)
	orDefault(&l.RequestRate, d.RequestRate)
	orDefault(&l.RequestBurst, d.RequestBurst)
	orDefault(&l.ConnectionConcurrency, d.ConnectionConcurrency)
	orDefault(&l.SendBuffer, d.SendBuffer)
	orDefault(&l.SendQueue, d.SendQueue)
	orDefault(&l.SlowReader, d.SlowReader)
	orDefault(&l.CloseGrace, d.CloseGrace)
	return l
}

func orDefault[T int | float64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
