package main

import (
	"testing"

	"skerry/abi"
	"skerry/abi/linux"
)

// TestRequeueArguments: what would have threads wait where nobody can is refused
// before anything is done.
func TestRequeueArguments(t *testing.T) {
	const less = 1<<32 - 1 // -1
	for _, c := range []struct {
		wake, move, to uint64
		want           int64
	}{
		{1, 1, 0x1000, 0}, {0, 0, abi.SpanTop - 4, 0},
		{less, 1, 0x1000, -linux.EINVAL}, {1, less, 0x1000, -linux.EINVAL},
		{1, 1, 0x1001, -linux.EINVAL}, {1, 1, 0x1002, -linux.EINVAL},
		{1, 1, 0, -linux.EFAULT}, {1, 1, abi.SpanTop, -linux.EFAULT}, {1, 1, 1 << 63, -linux.EFAULT},
	} {
		if got := checkRequeue(&abi.Registers{RDX: c.wake, R10: c.move, R8: c.to}, abi.SpanTop); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
