package schedule

import (
	"fmt"
	"testing"
)

// fill adds reserved tasks, by fresh, until the core is full.
func fill(m *machine, fresh func(i int, r Reservation) *task) {
	refused := 0
	for i := 0; refused < 20; i++ {
		period := 2*MinBudget + m.r.Int64N([]int64{1_000_000, 20_000_000, 300_000_000}[m.r.IntN(3)])
		r := Reservation{Period: period, Deadline: period}
		if m.r.IntN(2) == 0 {
			r.Deadline = MinBudget + m.r.Int64N(period-MinBudget)
		}
		r.Budget = min(r.Deadline, MinBudget+m.r.Int64N(1+r.Deadline/4))
		k := fresh(i, r)
		if a := m.s.Admit(&k.Entry, r, m.now); a.Reason == Overload {
			if r.density() <= a.Left {
				m.Fatalf("refused %d with %d left", r.density(), a.Left)
			}
			refused++
			m.leave(k)
			continue
		} else if a.Reason != Admitted {
			m.Fatalf("%+v: %v", r, a.Reason)
		}
		m.start(k)
	}
	if m.s.Reserved() < Bound*95/100 {
		m.Logf("only %d reserved", m.s.Reserved())
	}
}

// TestDeadlines checks by their own clocks that those that keep to what they said
// meet all deadlines, whatever the others do, on a core that is full.
func TestDeadlines(t *testing.T) {
	for seed := range uint64(60) {
		m := newMachine(t, seed)
		jobs := 0
		fill(m, func(i int, r Reservation) *task {
			switch m.r.IntN(3) {
			case 0:
				return m.add(fmt.Sprint("hog ", i), NormalWeight, hog)
			case 1:
				return m.add(fmt.Sprint("wild ", i), NormalWeight, func(int64) (int64, int64) {
					return 1 + m.r.Int64N(3*r.Budget), m.r.Int64N(r.Period)
				})
			}
			// Good: it wakes no sooner than a period after it last did, and works
			// for no more than its budget.
			woke := int64(-1)
			return m.add(fmt.Sprint("good ", i), NormalWeight, func(now int64) (int64, int64) {
				if woke < 0 {
					woke = now
					return 1 + m.r.Int64N(r.Budget), 0
				}
				jobs++
				if now > woke+r.Deadline {
					m.Fatalf("seed %d: good %d of %+v was done %d too late", seed, i, r, now-woke-r.Deadline)
				}
				woke += r.Period + m.r.Int64N(2)*m.r.Int64N(r.Period)
				return 1 + m.r.Int64N(r.Budget), max(woke-now, 1)
			})
		})
		for range 3 {
			m.start(m.add("fair", NormalWeight, hog))
		}
		m.until(2_000_000_000)
		for e := m.s.TakeMissed(); e != nil; e = m.s.TakeMissed() {
			t.Errorf("seed %d: %s missed %d deadlines", seed, m.of[e].name, e.Missed)
		}
		if jobs == 0 {
			t.Logf("seed %d: nobody was good", seed)
		}
	}
}
