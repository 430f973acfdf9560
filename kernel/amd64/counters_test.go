package amd64

import "testing"

// TestCounters reads what processors say of their counters.
func TestCounters(t *testing.T) {
	for _, c := range []struct {
		a    uint32
		want Counters
	}{
		{0, Counters{}},                       // none, as in QEMU's TCG
		{0x0730_0802, Counters{8, 48, true}},  // version 2
		{0x0728_0201, Counters{2, 40, false}}, // version 1: nothing to enable besides
		{0x0741_0405, Counters{}},             // no such width
		{0x0740_0405, Counters{4, 64, true}},
	} {
		if got := countersOf(c.a); got != c.want {
			t.Errorf("%#x: %+v, want %+v", c.a, got, c.want)
		}
	}
}

// TestEventSelect asks for what a user may and may not have.
func TestEventSelect(t *testing.T) {
	const interrupt, anyThread, pin = 1 << 20, 1 << 21, 1 << 19
	if got := eventSelect(0x3c | 3<<16 | interrupt | anyThread | pin | 1<<40); got != 0x3c|3<<16|eventEnable {
		t.Errorf("event select %#x", got)
	}
}
