package shootdown

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/kernel/mailbox"
)

// simulation is three kernels, the mailboxes between them, and what their
// processors may know. Kernel 0 has page tables that the others share: page p is
// mapped while there says so. A step is one access to shared memory, or one
// interrupt taken, in any order.
type simulation struct {
	t     *testing.T
	r     *rand.Rand
	boxes mailbox.Boxes
	home  State
	there [pages]bool
	cores [3]struct {
		known       [pages]bool // translations that the processor may hold
		interrupted bool
		steps       []func() // what its kernel has left to do of an interrupt
		tables      uint64
		ended       bool
	}
	// free is when each page may become something else, by generation; 0 is not
	// free.
	free    [pages]uint64
	reused  int
	settles int
}

const pages = 4

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{t: t, r: rand.New(rand.NewPCG(seed, 1))}
	memory := make([]uint64, mailbox.Size(3)/8)
	s.boxes = mailbox.Boxes{At: uintptr(unsafe.Pointer(&memory[0])), Cores: 3}
	t.Cleanup(func() { clear(memory) })
	return s
}

// request sends the requests that are due.
func (s *simulation) request() {
	for c := uint32(1); c < 3; c++ {
		if g, ok := s.home.Request(c); ok {
			s.boxes.Box(0, c).Request(g)
			s.cores[c].steps = append(s.cores[c].steps, func() { s.cores[c].interrupted = true })
		}
	}
}

// step lets something happen.
func (s *simulation) step() {
	c := s.r.IntN(3)
	k := &s.cores[c]
	switch {
	case k.ended:
	case len(k.steps) > 0 && s.r.IntN(2) == 0:
		next := k.steps[0]
		k.steps = k.steps[1:]
		next()
	case k.interrupted && len(k.steps) == 0 && s.r.IntN(3) == 0:
		k.interrupted = false
		s.interrupt(c)
	case c == 0:
		s.atHome()
	default:
		s.elsewhere(c)
	}
}

// interrupt lists what a kernel does when it is interrupted.
func (s *simulation) interrupt(c int) {
	k := &s.cores[c]
	if c == 0 {
		for peer := uint32(1); peer < 3; peer++ {
			k.steps = append(k.steps, func() {
				if s.home.Asked(peer) {
					s.home.Answer(peer, s.boxes.Box(peer, 0).Acknowledged())
				}
			})
		}
		k.steps = append(k.steps, s.request)
		return
	}
	in, out := s.boxes.Box(0, uint32(c)), s.boxes.Box(uint32(c), 0)
	var asked uint64
	k.steps = append(k.steps,
		func() { asked = in.Requested() },
		func() {
			if asked != out.Acknowledged() {
				k.known = [pages]bool{}
			}
		},
		func() {
			if asked != out.Acknowledged() {
				out.Acknowledge(asked)
				s.cores[0].interrupted = true
			}
		})
}

func (s *simulation) atHome() {
	p := s.r.IntN(pages)
	switch s.r.IntN(8) {
	case 0: // map
		if !s.there[p] && s.free[p] == 0 {
			s.there[p] = true
		}
	case 1, 2: // unmap
		if s.there[p] {
			s.there[p] = false
			s.home.Taken()
			s.free[p] = s.home.Generation() + 1
		}
	case 3: // make something else of its memory
		if s.free[p] == 0 {
			return
		}
		if s.home.Settled(s.home.Generation()) {
			s.reuse(p)
			return
		}
		s.home.Need(s.home.Generation())
		s.request()
	case 4, 5: // wait for it
		if s.free[p] == 0 {
			return
		}
		if g := s.free[p] - 1; s.home.Settled(g) {
			s.settles++
			s.reuse(p)
		} else {
			s.home.Need(g)
			s.request()
		}
	case 6:
		c := 1 + s.r.IntN(2)
		k := &s.cores[c]
		switch {
		case s.r.IntN(40) == 0:
			k.ended, k.known, k.interrupted, k.steps = true, [pages]bool{}, false, nil
			s.home.End(uint32(c))
		case k.ended:
		case k.tables == 0:
			k.tables = 1 + s.r.Uint64N(2)
			s.home.Share(uint32(c), k.tables)
		default:
			// The other core no longer has them in its own tables; its processor
			// may.
			k.tables--
			s.home.Share(uint32(c), k.tables)
		}
	}
}

// reuse checks that nobody can reach a page any longer.
func (s *simulation) reuse(p int) {
	for c := range s.cores {
		if s.cores[c].known[p] {
			s.t.Fatalf("page %d is something else, and core %d still has it", p, c)
		}
	}
	s.free[p] = 0
	s.reused++
}

// elsewhere lets a processor walk the tables, at any time while it has part in
// them.
func (s *simulation) elsewhere(c int) {
	if p := s.r.IntN(pages); s.there[p] && s.cores[c].tables > 0 {
		s.cores[c].known[p] = true
	}
}

// TestInterleavings lets three kernels go on in any order: no memory becomes
// something else while a processor can still reach it, and everybody who waits
// gets on.
func TestInterleavings(t *testing.T) {
	runs := uint64(2000)
	if testing.Short() {
		runs = 200
	}
	reused, settles := 0, 0
	for seed := range runs {
		s := newSimulation(t, seed)
		for range 400 {
			s.step()
		}
		// From now on nothing new comes: what is needed settles.
		g := s.home.Generation()
		s.home.Need(g)
		s.request()
		for n := 0; !s.home.Settled(g); n++ {
			if n > 1000 {
				t.Fatalf("seed %d: generation %d never settles: %+v", seed, g, s.home.peers[:3])
			}
			for c := range s.cores {
				k := &s.cores[c]
				if len(k.steps) > 0 {
					next := k.steps[0]
					k.steps = k.steps[1:]
					next()
				} else if k.interrupted {
					k.interrupted = false
					s.interrupt(c)
				}
			}
		}
		reused += s.reused
		settles += s.settles
	}
	if reused < int(runs) || settles < int(runs) {
		t.Errorf("only %d pages were used again, %d after waiting, in %d runs", reused, settles, runs)
	}
}

// TestOneRequestAtATime takes much away while a core does not answer.
func TestOneRequestAtATime(t *testing.T) {
	var s State
	s.Taken()
	if g := s.Generation(); g != 0 || !s.Settled(g) {
		t.Error("what nobody shares has a generation")
	}
	s.Share(2, 1)
	s.Taken()
	if _, ok := s.Request(2); ok {
		t.Error("a core is asked though nobody needs to know")
	}
	sent := 0
	for i := range 100 {
		if i > 0 {
			s.Taken()
		}
		s.Need(s.Generation())
		if _, ok := s.Request(2); ok {
			sent++
		}
		if _, ok := s.Request(1); ok {
			t.Fatal("a core is asked that shares nothing")
		}
	}
	if sent != 1 || s.Settled(1) || !s.Asked(2) {
		t.Errorf("%d requests, settled is %v", sent, s.Settled(1))
	}
	for _, lie := range []uint64{0, 2, 100, 1 << 63} {
		if s.Answer(2, lie) || s.Settled(1) {
			t.Errorf("an answer of %d counts", lie)
		}
	}
	if s.Answer(1, 1) || !s.Answer(2, 1) || !s.Settled(1) || s.Settled(2) {
		t.Error("the right answer does not count for what it answers")
	}
	if g, ok := s.Request(2); !ok || g != 100 {
		t.Errorf("then it is asked for %d, %v", g, ok)
	}
	if !s.Answer(2, 100) || !s.Settled(100) {
		t.Error("the last answer settles nothing")
	}
	if _, ok := s.Request(2); ok {
		t.Error("it is asked though nothing is left")
	}
}

// TestLeaving holds that a core that shares nothing any longer is asked once
// more.
func TestLeaving(t *testing.T) {
	var s State
	s.Share(1, 2)
	s.Share(1, 1)
	if !s.Settled(s.Generation()) {
		t.Error("something was taken away")
	}
	s.Share(1, 0)
	g := s.Generation()
	if s.Settled(g) {
		t.Fatal("a core that knew tables is settled at once")
	}
	s.Taken()
	if s.Generation() != g {
		t.Error("what nobody shares has a generation")
	}
	s.Need(g)
	if asked, ok := s.Request(1); !ok || asked != g {
		t.Fatal("it is not asked")
	}
	s.Share(1, 1) // again, before it has answered
	s.Taken()
	if !s.Answer(1, g) || !s.Settled(g) || s.Settled(g+1) {
		t.Error("its answer is not counted")
	}
}

// TestEnded holds that a kernel that has ended is waited for no longer.
func TestEnded(t *testing.T) {
	var s State
	s.Share(1, 1)
	s.Share(2, 1)
	s.Taken()
	s.Need(1)
	s.Request(1)
	s.Request(2)
	if s.End(1) || s.Settled(1) {
		t.Error("the other is settled too")
	}
	if !s.End(2) || !s.Settled(1) {
		t.Error("it waits for cores that have ended")
	}
	s.Taken()
	if !s.Settled(s.Generation()) {
		t.Error("cores that have ended count as sharing")
	}
	s.Share(2, 0)
	s.Share(2, 3)
	if s.Taken(); !s.Settled(s.Generation()) {
		t.Error("cores that have ended share again")
	}
}
