// Package archtest holds the test that keeps imports pointing one way:
//
//	mains → composition → {handler, gateway, adapters, rtclient} → room → {protocol, yjs} → standard library
//
// See docs/ARCHITECTURE.md.
package archtest
