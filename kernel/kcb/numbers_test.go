package kcb

import (
	"math/rand/v2"
	"testing"
)

// TestNumbers holds sets against maps.
func TestNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var s Numbers
	in := map[uint64]bool{}
	for range 10_000 {
		if r.IntN(2) == 0 {
			n := r.Uint64N(MaxDispatchers)
			s.Add(int(n/64), 1<<(n%64))
			in[n] = true
		} else if n, ok := s.Take(); ok {
			for m := range in {
				if m < n {
					t.Fatalf("%d before %d", n, m)
				}
			}
			if !in[n] {
				t.Fatalf("%d was never added", n)
			}
			delete(in, n)
		}
		if s.Any() != (len(in) > 0) {
			t.Fatalf("any is %v of %d", s.Any(), len(in))
		}
	}
}
