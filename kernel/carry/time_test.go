package carry

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi"
)

func drawClock(t *rapid.T) *abi.Clock {
	c := &abi.Clock{Base: rapid.Uint64Range(0, 1<<60).Draw(t, "base")}
	SetHz(c, rapid.Uint64Range(500_000_000, 10_000_000_000).Draw(t, "hz"))
	return c
}

// year is more than a machine runs, in nanoseconds.
const year = 365 * 86400 * 1_000_000_000

// TestTicksInvertTime turns times into counter values and back.
func TestTicksInvertTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawClock(t)
		ns := rapid.Int64Range(0, year).Draw(t, "ns")
		back := Time(c, Ticks(c, ns))
		// A tick is up to 2 ns; the multiplier is cut off by less than one.
		slack := int64(3 + uint64(ns)/c.Mul)
		if back > ns || ns-back > slack {
			t.Fatalf("%d ns became %d, %d away", ns, back, back-ns)
		}
	})
}

// TestTimeRises checks that later counter values never give earlier times, and
// that a second of ticks is a second.
func TestTimeRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawClock(t)
		a := rapid.Uint64Range(0, 1<<58).Draw(t, "a")
		d := rapid.Uint64Range(0, 1<<40).Draw(t, "d")
		if Time(c, c.Base+a) > Time(c, c.Base+a+d) {
			t.Fatal("time went backwards")
		}
		second := Time(c, c.Base+a+c.Hz) - Time(c, c.Base+a)
		if second < 999_999_990 || second > 1_000_000_001 {
			t.Fatalf("a second is %d ns", second)
		}
	})
}

// TestTicksSaturate asks for times that no machine reaches: they must lie in
// the far future, never behind a nearer time.
func TestTicksSaturate(t *testing.T) {
	c := &abi.Clock{Base: 1 << 40}
	SetHz(c, 4_000_000_000)
	for _, ns := range []int64{1<<62 - 1, 1<<62 - 1<<20, 1 << 62, math.MaxInt64} {
		if far := Ticks(c, ns); far < Ticks(c, year) {
			t.Errorf("%#x ns is counter value %#x: it has wrapped around", ns, far)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawClock(t)
		ns := rapid.Int64Range(year, math.MaxInt64).Draw(t, "ns")
		if far := Ticks(c, ns); far < Ticks(c, year) {
			t.Fatalf("%d ns is counter value %#x, before that of a year, %#x", ns, far, Ticks(c, year))
		}
	})
}
