package carrier

import (
	"testing"

	"skerry/abi/linux"
)

func TestRestarts(t *testing.T) {
	var s Signals
	var th Thread
	set := func(signal int, handler, flags uint64) {
		s.SetAction(signal, &linux.Sigaction{Handler: handler, Flags: flags})
	}
	set(linux.SIGUSR1, 0x1000, linux.SA_RESTART)
	set(linux.SIGUSR2, 0x1000, 0)
	for _, c := range []struct {
		sent []int
		mask uint64
		want bool
	}{
		{nil, 0, true},
		{[]int{linux.SIGUSR1}, 0, true},
		{[]int{linux.SIGUSR2}, 0, false},
		{[]int{linux.SIGUSR1, linux.SIGUSR2}, 0, false},
		{[]int{linux.SIGUSR1, linux.SIGUSR2}, SignalBit(linux.SIGUSR2), true},
	} {
		th.Pending, s.Pending = 0, 0
		th.SetMask(c.mask)
		for _, signal := range c.sent {
			s.Send(&th, signal, 0, 0)
		}
		if got := s.Restarts(&th); got != c.want {
			t.Errorf("signals %v, mask %#x: %v", c.sent, c.mask, got)
		}
	}
}
