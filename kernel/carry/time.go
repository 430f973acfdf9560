package carry

import (
	"math/bits"

	"skerry/abi"
)

// Time turns a value of the time-stamp counter into nanoseconds.
func Time(c *abi.Clock, tsc uint64) int64 {
	hi, lo := bits.Mul64(tsc-c.Base, c.Mul)
	return int64(hi<<32 | lo>>32)
}

// Ticks is the inverse of Time: the counter's value at a time, or its last if
// it never gets there.
func Ticks(c *abi.Clock, ns int64) uint64 {
	hi, lo := bits.Mul64(uint64(ns), c.Hz)
	if hi >= 1_000_000_000 {
		return ^uint64(0)
	}
	q, _ := bits.Div64(hi, lo, 1_000_000_000)
	if q > ^uint64(0)-c.Base {
		return ^uint64(0)
	}
	return c.Base + q
}

// SetHz gives a clock the frequency of the counter.
func SetHz(c *abi.Clock, hz uint64) {
	c.Hz = hz
	c.Mul, _ = bits.Div64(0, 1_000_000_000<<32, hz)
}

// What clock works with.
var (
	clockBase, clockMul uint64
	clockReal           int64
)

// SetClock makes c the clock of the kernel's own runtime.
func SetClock(c *abi.Clock) { clockBase, clockMul, clockReal = c.Base, c.Mul, c.Real }
