package schedule

import (
	"math/rand/v2"
	"testing"
)

// FuzzScheduler does what the input says, in any order and with times that jump, and
// checks everything after every step; at the end, that no fair one starves.
func FuzzScheduler(f *testing.F) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		in := make([]byte, 3*r.IntN(800))
		for i := range in {
			in[i] = byte(r.IntN(256))
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m := newMachine(t, 0)
		ks := make([]*task, 12)
		for i := range ks {
			ks[i] = m.add("task", NormalWeight, hog)
		}
		s := m.s
		for ; len(in) >= 3; in = in[3:] {
			k, other, x := ks[int(in[1])%len(ks)], ks[int(in[2])%len(ks)], int64(in[2])
			e := &k.Entry
			switch in[0] % 16 {
			case 0, 1:
				s.Ready(e, m.now)
			case 2:
				s.Block(e, m.now)
			case 3:
				s.Yield(e)
			case 4, 5:
				s.Donate(e, &other.Entry)
			case 6:
				if runner := s.runner(); runner != nil {
					s.Donate(runner, e)
				}
			case 7:
				s.SetWeight(e, int(x*x))
			case 8:
				d := (x%16 + 1) * ms
				s.Admit(e, Reservation{Period: d + x%7*ms, Budget: (x/16 + 1) * d / 40, Deadline: d}, m.now)
			case 9:
				s.Retire(e, m.now)
			case 10:
				s.Leave(e, m.now)
			case 11:
				s.Enter(e, int(x*x))
			case 12:
				s.TakeMissed()
			default:
				_, until := s.Pick(m.now)
				verify(t, s, ks, m.now)
				if until <= m.now {
					t.Fatal("picked until now")
				}
				to := m.now + x*x*200
				if x > 250 {
					to = m.now + x<<30
				}
				s.Ran(m.now, to)
				m.now = to
			}
			if s.reserved > Bound {
				t.Fatal("too much is reserved")
			}
		}
		s.Pick(m.now)
		s.endLoan()
		s.Pick(m.now)
		verify(t, s, ks, m.now)
		wait := map[*Entry]bool{}
		for _, k := range ks {
			if k.queue == fair {
				s.SetWeight(&k.Entry, NormalWeight)
				wait[&k.Entry] = true
			}
		}
		for step := 0; len(wait) > 0; step++ {
			if step > 1_000_000 {
				t.Fatal("a fair one starves")
			}
			e, until := s.Pick(m.now)
			delete(wait, e)
			if until == Never {
				until = m.now + ms
			}
			s.Ran(m.now, until)
			m.now = until
		}
	})
}
