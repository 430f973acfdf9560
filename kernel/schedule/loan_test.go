package schedule

import "testing"

// TestDonate follows calls and answers between dispatchers.
func TestDonate(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, 4)
	a, b, c, d := es[0], es[1], es[2], es[3]
	s.Ready(d, 0)
	s.Ready(a, 0)
	// Everybody is ready with the same tag.
	first, until := s.Pick(0)
	if first == d {
		a, d = d, a
	}
	if until != Latency/2 {
		t.Fatalf("until %d", until)
	}
	s.Ran(0, ms/4)
	tag := a.tag
	// a calls b, which calls c.
	// One that comes cuts the slice.
	s.Ready(b, ms/4)
	until = Floor
	if s.Donate(d, b) || s.Donate(a, c) || s.Donate(a, a) {
		t.Fatal("lent by one that does not run, or to one that is not ready, or to itself")
	}
	if !s.Donate(a, b) {
		t.Fatal("cannot lend")
	}
	s.Block(a, ms/4)
	expect(t, s, ms/4, b, until)
	s.Ran(ms/4, ms/2)
	s.Ready(c, ms/2)
	if !s.Donate(b, c) {
		t.Fatal("cannot lend on")
	}
	s.Block(b, ms/2)
	expect(t, s, ms/2, c, until)
	s.Ran(ms/2, 3*ms/4)
	// c answers b, which answers a: a pays for all.
	s.Ready(b, 3*ms/4)
	if !s.Donate(c, b) {
		t.Fatal("cannot lend back")
	}
	s.Block(c, 3*ms/4)
	expect(t, s, 3*ms/4, b, until)
	s.Ready(a, 3*ms/4)
	expect(t, s, 3*ms/4, a, until)
	if s.giver != nil {
		t.Fatal("goes on lending after it woke")
	}
	tb, tc := b.tag, c.tag
	s.Ran(3*ms/4, ms)
	if a.tag != tag+ms/NormalWeight || b.tag != tb || c.tag != tc {
		t.Errorf("a pays %d for a ms", (a.tag-tag)*NormalWeight)
	}
}

// TestDonateEnds ends loans in all the ways there are.
func TestDonateEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(s *Scheduler, a, b *Entry)
		// back says that the giver goes on, if it has not blocked; always, that it
		// does in any case.
		back, always bool
	}{
		{name: "block", end: func(s *Scheduler, a, b *Entry) { s.Block(b, 2*ms) }, back: true},
		{name: "yield", end: func(s *Scheduler, a, b *Entry) { s.Yield(b) }, back: true},
		{name: "recall", end: func(s *Scheduler, a, b *Entry) {
			if s.Recall(b) || !s.Recall(a) {
				t.Error("the loan is not the lender's to end")
			}
		}, back: true},
		{name: "leave", end: func(s *Scheduler, a, b *Entry) { s.Leave(b, 2*ms) }, back: true},
		{name: "wake", end: func(s *Scheduler, a, b *Entry) {
			s.Block(a, 2*ms)
			s.Ready(a, 2*ms)
		}, always: true},
		{name: "lend back", end: func(s *Scheduler, a, b *Entry) {
			if s.Donate(b, a) != a.ready {
				t.Error("lends to one that is blocked, or does not lend back")
			}
			s.Block(b, 2*ms)
		}, back: true},
		{name: "budget", end: func(s *Scheduler, a, b *Entry) {
			s.Ran(2*ms, 3*ms)
			if a.Throttled != 1 || b.tag != b.key {
				t.Error("who runs on a budget does not use that up")
			}
		}},
		{name: "deadline", end: func(s *Scheduler, a, b *Entry) {
			s.Pick(10*ms - 1)
			s.advance(10 * ms)
			s.Block(a, 10*ms)
			if a.Missed != 1 {
				t.Error("the one who lent did not miss its deadline")
			}
		}},
		{name: "giver leaves", end: func(s *Scheduler, a, b *Entry) { s.Leave(a, 2*ms) }},
		{name: "giver retires", end: func(s *Scheduler, a, b *Entry) {
			s.Retire(a, 2*ms)
			s.Block(a, 2*ms)
		}},
	} {
		for _, blocked := range []bool{false, true} {
			s := new(Scheduler)
			es := enter(t, s, 3)
			a, b, other := es[0], es[1], es[2]
			admit(t, s, a, Reservation{Period: 10 * ms, Budget: 3 * ms, Deadline: 10 * ms}, 0)
			s.Ready(other, 0)
			s.Ready(a, 0)
			expect(t, s, 0, a, 3*ms)
			s.Ready(b, 0)
			s.Donate(a, b)
			if blocked {
				s.Block(a, 0)
			}
			expect(t, s, 0, b, 3*ms)
			s.Ran(0, 2*ms)
			c.end(s, a, b)
			if s.giver != nil {
				t.Errorf("%s, %v: still lends", c.name, blocked)
			}
			got, _ := s.Pick(3*ms - 1)
			if want := c.always || c.back && !blocked; (got == a) != want || got == nil {
				t.Errorf("%s, %v: another runs", c.name, blocked)
			}
		}
	}
}
