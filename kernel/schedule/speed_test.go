package schedule

import (
	"fmt"
	"testing"
)

// TestAllocations checks that nothing allocates.
func TestAllocations(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, 64)
	now := int64(0)
	i := 0
	got := testing.AllocsPerRun(20_000, func() {
		e, other := es[i*7%len(es)], es[i*5%len(es)]
		i++
		s.Ready(e, now)
		s.Ready(other, now)
		s.Admit(e, Reservation{Period: 10 * ms, Budget: ms, Deadline: 9 * ms}, now)
		r, until := s.Pick(now)
		s.Ran(now, min(until, now+ms))
		now += ms
		s.Donate(r, other)
		s.SetWeight(other, 1+i%1000)
		s.Pick(now)
		s.Yield(r)
		s.Block(r, now)
		s.TakeMissed()
		if i%3 == 0 {
			s.Retire(e, now)
		}
		if i%11 == 0 {
			s.Leave(e, now)
			s.Enter(e, NormalWeight)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// BenchmarkSlice is Pick and Ran of a whole slice or budget.
func BenchmarkSlice(b *testing.B) {
	for _, n := range []int{1, 8, 64, 512} {
		for _, reserved := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/reserved=%v", n, reserved), func(b *testing.B) {
				s := new(Scheduler)
				for i := range n {
					e := new(Entry)
					s.Enter(e, 1+i)
					if reserved {
						s.Admit(e, Reservation{Period: MaxPeriod - int64(i), Budget: ms, Deadline: MaxPeriod - int64(i)}, 0)
					}
					s.Ready(e, 0)
				}
				now := int64(0)
				for b.Loop() {
					_, until := s.Pick(now)
					if until == Never {
						until = now + ms
					}
					s.Ran(now, until)
					now = until
				}
			})
		}
	}
}

// BenchmarkCall is a call and its answer: two switches with the slice donated.
func BenchmarkCall(b *testing.B) {
	s := new(Scheduler)
	x, y, z := new(Entry), new(Entry), new(Entry)
	for _, e := range []*Entry{x, y, z} {
		s.Enter(e, NormalWeight)
	}
	s.Ready(z, 0)
	s.Block(z, 0)
	s.Ready(x, 0)
	now := int64(0)
	e, _ := s.Pick(now)
	for b.Loop() {
		to := x
		if e == x {
			to = y
		}
		now += 500
		s.Ran(now-500, now)
		s.Ready(to, now)
		s.Donate(e, to)
		s.Block(e, now)
		e, _ = s.Pick(now)
	}
}
