package pause

import "testing"

func TestTimes(t *testing.T) {
	for _, n := range []uint32{0, 1, 2, 1000} {
		Times(n)
	}
	if n := testing.AllocsPerRun(10, func() { Times(3) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTimes(b *testing.B) {
	for b.Loop() {
		Times(1)
	}
}
