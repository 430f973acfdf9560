package stub_test

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"skerry/interface/echo"
	"skerry/lib/channel"
	"skerry/lib/channel/ring"
	"skerry/lib/pause"
	"skerry/lib/stub"
	"skerry/lib/urpc"
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

// ringPair returns two polled ends in memory of this program's.
func ringPair(b *testing.B) (channel.Conn, channel.Conn) {
	const size = 64 << 10
	memory := make([]byte, size+urpc.SlotSize)
	base := (uintptr(unsafe.Pointer(&memory[0])) + urpc.SlotSize - 1) &^ (urpc.SlotSize - 1)
	b.Cleanup(func() { runtime.KeepAlive(memory) })
	var ends [2]channel.Conn
	for i, side := range []urpc.Side{urpc.A, urpc.B} {
		c, err := ring.New(ring.Config{Base: base, Size: size, Side: side, Polled: true})
		if err != nil {
			b.Fatal(err)
		}
		ends[i] = c
	}
	return ends[0], ends[1]
}

// fastest runs a round trip in batches and reports how long one took in the fastest
// batch: that is what it takes on a machine that has nothing else to do.
func fastest(b *testing.B, roundTrip func()) {
	const batch = 100
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		for range batch {
			roundTrip()
		}
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best.Nanoseconds())/batch, "ns/roundtrip")
}

// BenchmarkRing compares, between two threads that poll: two words in two cache lines,
// messages over a urpc connection, and calls through stubs over such a one.
func BenchmarkRing(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("two threads must run at once")
	}
	b.Run("lines", func(b *testing.B) {
		var lines struct {
			there, back struct {
				atomic.Uint64
				_ [120]byte
			}
		}
		go func() {
			for n := uint64(1); ; n++ {
				for lines.there.Load() < n {
					pause.Times(1)
				}
				if lines.there.Load() == math.MaxUint64 {
					return
				}
				lines.back.Store(n)
			}
		}()
		n := uint64(0)
		fastest(b, func() {
			n++
			lines.there.Store(n)
			for lines.back.Load() != n {
				pause.Times(1)
			}
		})
		lines.there.Store(math.MaxUint64)
	})
	b.Run("messages", func(b *testing.B) {
		x, y := ringPair(b)
		go func() {
			var m channel.Message
			for y.Receive(context.Background(), &m) == nil {
				y.Send(context.Background(), &m)
			}
		}()
		ctx := context.Background()
		m := channel.Message{Kind: 1, Length: 16}
		fastest(b, func() {
			x.Send(ctx, &m)
			x.Receive(ctx, &m)
		})
		x.Close()
	})
	b.Run("calls", func(b *testing.B) {
		x, y := ringPair(b)
		serve(b, func(ctx context.Context) error { return echo.Serve(ctx, y, &parrot{}, stub.Inline) })
		c := echo.NewClient(x)
		ctx := context.Background()
		fastest(b, func() { c.Word(ctx, 1) })
		c.Close()
	})
}
