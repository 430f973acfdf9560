package stub_test

import (
	"context"
	"testing"

	"skerry/lib/channel"
	"skerry/lib/stub"
)

// BenchmarkRaw is what BenchmarkWord is to be compared with: messages there and back
// over the same connection.
func BenchmarkRaw(b *testing.B) {
	x, y := pair(64)
	serve(b, func(ctx context.Context) error {
		var m channel.Message
		for y.Receive(ctx, &m) == nil {
			y.Send(ctx, &m)
		}
		return nil
	})
	ctx := context.Background()
	m := channel.Message{Kind: 1, Length: 16}
	for b.Loop() {
		x.Send(ctx, &m)
		x.Receive(ctx, &m)
	}
	x.Close()
}

func BenchmarkWord(b *testing.B) {
	c := startEcho(b, 64, &parrot{}, stub.Inline)
	ctx := context.Background()
	for b.Loop() {
		c.Word(ctx, 1)
	}
}

// BenchmarkGoroutines is BenchmarkWord with a server that runs each call in a goroutine.
func BenchmarkGoroutines(b *testing.B) {
	c := startEcho(b, 64, &parrot{})
	ctx := context.Background()
	for b.Loop() {
		c.Word(ctx, 1)
	}
}

func BenchmarkBlob(b *testing.B) {
	c := startEcho(b, 64, &parrot{}, stub.Inline)
	ctx := context.Background()
	data := make([]byte, 4096)
	for b.Loop() {
		c.Blob(ctx, data)
	}
}
