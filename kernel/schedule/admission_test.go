package schedule

import (
	"math/rand/v2"
	"testing"
)

func TestRefusals(t *testing.T) {
	s := new(Scheduler)
	e := enter(t, s, 1)[0]
	for _, c := range []struct {
		r    Reservation
		want Reason
	}{
		{Reservation{10 * ms, MinBudget - 1, 10 * ms}, BadBudget},
		{Reservation{10 * ms, -1 << 63, 10 * ms}, BadBudget},
		{Reservation{10 * ms, 2 * ms, 2*ms - 1}, BadDeadline},
		{Reservation{10 * ms, 2 * ms, -1}, BadDeadline},
		{Reservation{10 * ms, 2 * ms, 10*ms + 1}, BadPeriod},
		{Reservation{MaxPeriod + 1, 2 * ms, 10 * ms}, BadPeriod},
		{Reservation{Never, Never, Never}, BadPeriod},
		{Reservation{10 * ms, 9*ms + 1, 10 * ms}, Overload},
		{Reservation{10 * ms, 2 * ms, 2 * ms}, Overload},
		{Reservation{10 * ms, 9 * ms, 10 * ms}, Admitted},
	} {
		got := s.Admit(e, c.r, 0)
		if got.Reason != c.want || got.Left != Bound {
			t.Errorf("%+v: %v, %d left, want %v", c.r, got.Reason, got.Left, c.want)
		}
		if _, ok := e.Reservation(); ok != (got.Reason == Admitted) {
			t.Errorf("%+v: it has a reservation: %v", c.r, ok)
		}
		if got.Reason.String() == "unknown" || got.Reason.String() == "" {
			t.Errorf("reason %d has no name", got.Reason)
		}
	}
	if a := s.Admit(new(Entry), Reservation{10 * ms, ms, 10 * ms}, 0); a.Reason != NotEntered {
		t.Error(a.Reason)
	}
	if Reason(200).String() != "unknown" {
		t.Error("a reason that does not exist has a name")
	}
}

// TestHeld checks that what is given up, or left by one that ends, can be had by
// another only after the deadline of the job that may have used it.
func TestHeld(t *testing.T) {
	r := Reservation{Period: 10 * ms, Budget: 8 * ms, Deadline: 10 * ms}
	for name, end := range map[string]func(s *Scheduler, e *Entry){
		"retire": func(s *Scheduler, e *Entry) { s.Retire(e, 8*ms) },
		"leave":  func(s *Scheduler, e *Entry) { s.Leave(e, 8*ms) },
		"less": func(s *Scheduler, e *Entry) {
			admit(t, s, e, Reservation{Period: 10 * ms, Budget: ms, Deadline: 10 * ms}, 8*ms)
		},
	} {
		s := new(Scheduler)
		es := enter(t, s, 2)
		admit(t, s, es[0], r, 0)
		s.Ready(es[0], 0)
		s.Pick(0)
		s.Ran(0, 8*ms)
		end(s, es[0])
		if a := s.Admit(es[1], r, 10*ms-1); a.Reason != Overload || a.Left != Bound-8*Whole/10 {
			t.Errorf("%s: %v, %d left", name, a.Reason, a.Left)
		}
		if a := s.Admit(es[1], r, 10*ms); a.Reason != Admitted {
			t.Errorf("%s: %v, %d left", name, a.Reason, a.Left)
		}
	}
}

// TestChanges makes, changes and ends reservations of tasks that take all they get:
// nobody misses a deadline, and the fair ones keep their share.
func TestChanges(t *testing.T) {
	for seed := range uint64(30) {
		m := newMachine(t, seed)
		free := m.add("fair", NormalWeight, hog)
		m.start(free)
		var ks []*task
		for range 6 {
			k := m.add("reserved", NormalWeight, hog)
			if m.r.IntN(2) == 0 {
				k.next = func(int64) (int64, int64) { return 1 + m.r.Int64N(5*ms), m.r.Int64N(20 * ms) }
			}
			ks = append(ks, k)
			m.start(k)
		}
		refused := 0
		for range 600 {
			m.until(m.now + m.r.Int64N(8*ms))
			k := ks[m.r.IntN(len(ks))]
			if m.r.IntN(4) == 0 {
				m.s.Retire(&k.Entry, m.now)
				continue
			}
			r := Reservation{Period: ms + m.r.Int64N(50*ms)}
			r.Deadline = r.Period - m.r.Int64N(r.Period/2)
			r.Budget = MinBudget + m.r.Int64N(r.Deadline/2)
			if m.s.Admit(&k.Entry, r, m.now).Reason != Admitted {
				refused++
			}
		}
		for e := m.s.TakeMissed(); e != nil; e = m.s.TakeMissed() {
			t.Errorf("seed %d: %d deadlines missed", seed, e.Missed)
		}
		if refused == 0 || free.served < m.now/100 {
			t.Errorf("seed %d: %d refused, the fair one had %d of %d", seed, refused, free.served, m.now)
		}
	}
}

// TestFull fills the scheduler, in every queue.
func TestFull(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, MaxEntries)
	if s.Enter(new(Entry), NormalWeight) || s.Enter(es[0], NormalWeight) {
		t.Fatal("let in one too many, or one twice")
	}
	for _, e := range es {
		s.Ready(e, 0)
	}
	if s.fair.n != MaxEntries {
		t.Fatal("not all are ready")
	}
	for _, e := range es {
		admit(t, s, e, Reservation{Period: MaxPeriod, Budget: ms, Deadline: MaxPeriod}, 0)
	}
	if s.due.n != MaxEntries {
		t.Fatal("not all are due")
	}
	s.Pick(MaxPeriod - 1)
	for _, e := range es {
		s.Yield(e)
	}
	if s.waiting.n != MaxEntries {
		t.Fatal("not all wait")
	}
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(es), func(i, j int) { es[i], es[j] = es[j], es[i] })
	for _, e := range es {
		s.Leave(e, 0)
	}
	if s.entries != 0 || s.reserved != 0 {
		t.Fatal("something is left")
	}
	if e, until := s.Pick(2 * MaxPeriod); e != nil || until != Never {
		t.Fatal("picked somebody out of nobody")
	}
}
