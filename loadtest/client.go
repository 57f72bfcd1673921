package loadtest

import (
	"net"
	"net/http"
	"time"
)

// peerClient dials for the other targets' sessions with buffers as small as
// rtclient's, so that the generator costs the same for all.
var peerClient = &http.Client{Transport: &http.Transport{
	DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout: 10 * time.Second,
	ReadBufferSize:      1 << 10,
	WriteBufferSize:     1 << 10,
	IdleConnTimeout:     time.Minute,
}}
