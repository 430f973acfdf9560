package schedule

import "testing"

const ms = 1_000_000

func expect(t *testing.T, s *Scheduler, now int64, e *Entry, until int64) {
	t.Helper()
	if got, at := s.Pick(now); got != e || at != until {
		t.Fatalf("at %d picked %p until %d, want %p until %d", now, got, at, e, until)
	}
}

func enter(t *testing.T, s *Scheduler, n int) []*Entry {
	t.Helper()
	var es []*Entry
	for range n {
		e := new(Entry)
		if !s.Enter(e, NormalWeight) {
			t.Fatal("not let in")
		}
		es = append(es, e)
	}
	return es
}

func admit(t *testing.T, s *Scheduler, e *Entry, r Reservation, now int64) {
	t.Helper()
	if a := s.Admit(e, r, now); a.Reason != Admitted {
		t.Fatal(a.Reason)
	}
}

// TestBudget checks that the budget is enforced, when the next comes, and who has the
// time between.
func TestBudget(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, 2)
	a, b := es[0], es[1]
	admit(t, s, a, Reservation{Period: 10 * ms, Budget: 3 * ms, Deadline: 5 * ms}, 0)
	s.Ready(a, 0)
	expect(t, s, 0, a, 3*ms)
	s.Ran(0, 1*ms)
	s.Ready(b, 1*ms)
	expect(t, s, 1*ms, a, 3*ms)
	s.Ran(1*ms, 3*ms)
	expect(t, s, 3*ms, b, 10*ms)
	s.Ran(3*ms, 4*ms)
	s.Block(b, 4*ms)
	// The core would be idle.
	expect(t, s, 4*ms, a, 10*ms)
	// It is stopped late; that is on its new budget.
	s.Ran(4*ms, 11*ms)
	expect(t, s, 11*ms, a, 13*ms)
	s.Yield(a)
	expect(t, s, 12*ms, a, 20*ms)
	s.Ran(12*ms, 20*ms)
	// Stopped after 2 ms beyond its budget, and in time after the next.
	expect(t, s, 20*ms, a, 23*ms)
	s.Ran(20*ms, 25*ms)
	s.Ready(b, 25*ms)
	expect(t, s, 30*ms, a, 31*ms)
	s.Ran(30*ms, 31*ms)
	// It blocks and wakes: no more than its density until the deadline.
	expect(t, s, 40*ms, a, 43*ms)
	s.Ran(40*ms, 41*ms)
	s.Block(a, 41*ms)
	s.Ready(a, 44*ms)
	expect(t, s, 44*ms, a, 44*ms+3*ms/5)
	s.Ran(44*ms, 44*ms+3*ms/5)
	if e, _ := s.Pick(45 * ms); e != b {
		t.Fatal("more than its density")
	}
	// It sleeps for long: a job begins when it wakes.
	s.Block(a, 45*ms)
	s.Ready(a, 77*ms)
	expect(t, s, 77*ms, a, 80*ms)
	if a.Missed != 0 || a.Throttled != 4 {
		t.Errorf("%d missed, %d throttled", a.Missed, a.Throttled)
	}
}

// TestMissed lets the core stand still.
func TestMissed(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, 3)
	a, b, c := es[0], es[1], es[2]
	admit(t, s, a, Reservation{Period: 10 * ms, Budget: 2 * ms, Deadline: 10 * ms}, 0)
	admit(t, s, b, Reservation{Period: 20 * ms, Budget: 2 * ms, Deadline: 5 * ms}, 0)
	s.Ready(a, 0)
	s.Ready(b, 0)
	s.Ready(c, 0)
	expect(t, s, 0, b, 2*ms)
	s.Ran(0, 2*ms)
	expect(t, s, 2*ms, a, 4*ms)
	// a has had 2 ms of what counts as 43; b stood still for two jobs.
	s.Ran(2*ms, 45*ms)
	if e, until := s.Pick(46 * ms); e != c || until != 50*ms {
		t.Fatalf("picked %v until %d", e, until)
	}
	if a.Missed != 0 || b.Missed != 2 {
		t.Errorf("%d and %d missed", a.Missed, b.Missed)
	}
	if e := s.TakeMissed(); e != b {
		t.Error("b is not reported")
	}
	if s.TakeMissed() != nil {
		t.Error("somebody is reported who was in time, or twice")
	}
	// All goes on as before.
	expect(t, s, 50*ms, a, 52*ms)
	// Nobody runs for hours.
	s.Ran(50*ms, 51*ms)
	const day = 86_400_000 * ms
	s.Pick(day + 1*ms)
	if want := uint64(1 + (day-60*ms)/(10*ms)); a.Missed != want {
		t.Errorf("%d missed in a day, want %d", a.Missed, want)
	}
	// One that gets its budget too late has missed as well.
	s = new(Scheduler)
	a = enter(t, s, 1)[0]
	admit(t, s, a, Reservation{Period: 10 * ms, Budget: 2 * ms, Deadline: 5 * ms / 2}, 0)
	s.Ready(a, 0)
	expect(t, s, 1*ms, a, 5*ms/2)
	s.Ran(1*ms, 3*ms)
	if a.Missed != 1 || s.TakeMissed() != a {
		t.Error("a job done too late does not count")
	}
	s.Block(a, 3*ms)
	s.Ready(a, 20*ms)
	s.Pick(20 * ms)
	s.Ran(20*ms, 21*ms)
	s.Block(a, 23*ms)
	if a.Missed != 2 {
		t.Error("blocking too late does not count")
	}
}

// TestJumps makes every stop late by anything up to minutes: everybody goes on soon
// after.
func TestJumps(t *testing.T) {
	for seed := range uint64(12) {
		m := newMachine(t, seed)
		hogs := []*task{m.add("a", 50, hog), m.add("b", 50, hog), m.add("c", 50, hog)}
		for _, k := range hogs {
			m.start(k)
		}
		others(m)
		m.delay = func() int64 { return m.r.Int64N(1 + int64(1)<<m.r.IntN(38)) }
		for range 2000 {
			m.step(Never)
		}
		m.delay = func() int64 { return 0 }
		for range 3 {
			for _, k := range hogs {
				k.served = 0
			}
			m.until(m.now + 20_000*ms)
			for _, k := range hogs {
				if k.served == 0 {
					t.Errorf("seed %d: %s does not run", seed, k.name)
				}
			}
		}
	}
}
