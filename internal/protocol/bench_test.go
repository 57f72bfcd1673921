package protocol_test

import (
	"fmt"
	"testing"

	"github.com/symphony-rt/symphony/internal/protocol"
)

var sizes = []int{40, 1_000, 20_000}

func BenchmarkDecodeClientFrame(b *testing.B) {
	for _, n := range sizes {
		frame := protocol.EncodeFrameString(&protocol.Submit{ID: 12, Update: make([]byte, n)})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if _, err := protocol.DecodeClientFrame(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeServerFrameBytes(b *testing.B) {
	for _, n := range sizes {
		frame := protocol.EncodeFrame(&protocol.Broadcast{Seq: 12, Update: make([]byte, n)})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if _, err := protocol.DecodeServerFrame(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeFrame(b *testing.B) {
	for _, n := range sizes {
		m := &protocol.Broadcast{Seq: 12, Update: make([]byte, n)}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				protocol.EncodeFrame(m)
			}
		})
	}
}

func BenchmarkAppendFrameReused(b *testing.B) {
	for _, n := range sizes {
		m := &protocol.Broadcast{Seq: 12, Update: make([]byte, n)}
		var buf []byte
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				buf = protocol.AppendFrame(buf[:0], m)
			}
		})
	}
}
