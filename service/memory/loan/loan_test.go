package loan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"skerry/abi/capability"
	"skerry/service/memory"

	"pgregory.net/rapid"
)

// world is a machine of cores: kernels that know which memory is whose, and
// channels between each core and the broker that hold messages back.
type world struct {
	t      interface{ Fatalf(string, ...any) }
	r      *rand.Rand
	broker *Broker
	cores  []*simulated
	up     [][]Message    // to the broker, by core
	down   [][]Message    // from it
	owner  map[uint64]int // of each Least bytes of RAM
	log    []string
}

// simulated is a core with its kernel.
type simulated struct {
	w       *world
	number  int
	pool    *memory.Pool
	core    *Core
	dead    bool
	stub    bool // its kernel refuses all
	blocks  []memory.Block
	next    capability.Reference
	adopted map[capability.Reference][2]uint64
	asked   int
	got     []bool
}

var errStubborn = errors.New("not now")

func (s *simulated) refuses() error {
	if s.stub || s.w.r.IntN(8) == 0 {
		return errStubborn
	}
	return nil
}

// move changes the owner of memory from one core to another.
func (w *world) move(base, size uint64, from, to int) {
	for at := base; at < base+size; at += Least {
		if w.owner[at] != from {
			w.t.Fatalf("%#x is core %d's, not core %d's", at, w.owner[at], from)
		}
		w.owner[at] = to
	}
}

// inTransit is the owner of memory that was lent and not yet adopted, or
// released and not yet regained.
const inTransit = -1

func (s *simulated) Lend(b memory.Block, core uint32) error {
	if _, ok := s.adopted[b.Root.Reference]; ok {
		s.w.t.Fatalf("core %d lends what it was lent, at %#x", s.number, b.Base)
	}
	if err := s.refuses(); err != nil {
		return err
	}
	s.w.move(b.Base, b.Size, s.number, inTransit)
	return nil
}

func (s *simulated) Regain(b memory.Block) error {
	if err := s.refuses(); err != nil {
		return err
	}
	s.w.move(b.Base, b.Size, inTransit, s.number)
	return nil
}

func (s *simulated) Adopt(base, size uint64) (capability.Reference, error) {
	if err := s.refuses(); err != nil {
		return 0, err
	}
	s.w.move(base, size, inTransit, s.number)
	s.next++
	s.adopted[s.next] = [2]uint64{base, size}
	return s.next, nil
}

func (s *simulated) Release(ram capability.Reference) error {
	if err := s.refuses(); err != nil {
		return err
	}
	r := s.adopted[ram]
	s.w.move(r[0], r[1], s.number, inTransit)
	delete(s.adopted, ram)
	return nil
}

// ram is how much each core has at first.
const ram = 16 << 20

func newWorld(t interface{ Fatalf(string, ...any) }, r *rand.Rand, cores int) *world {
	w := &world{t: t, r: r, owner: make(map[uint64]int), up: make([][]Message, cores), down: make([][]Message, cores)}
	w.broker = NewBroker(cores, func(core int, m Message) {
		if w.cores[core].dead {
			return
		}
		w.down[core] = append(w.down[core], m)
	})
	for number := range cores {
		s := &simulated{w: w, number: number, pool: memory.New(uint32(number / 2)), next: 1, adopted: make(map[capability.Reference][2]uint64)}
		base := uint64(number+1) * ram
		s.pool.Add(memory.Root{Reference: 1, Base: base, Size: ram, Node: uint32(number / 2)})
		for at := base; at < base+ram; at += Least {
			w.owner[at] = number
		}
		s.core = NewCore(s.pool, s, func(m Message) { w.up[number] = append(w.up[number], m) }, func(got bool) { s.got = append(s.got, got) })
		s.core.Reserve = 1 << 20
		w.cores = append(w.cores, s)
		distances := make([]byte, cores)
		for other := range distances {
			distances[other] = 10
			if other/2 != number/2 {
				distances[other] = byte(20 + number + other)
			}
		}
		w.broker.Join(number, s.pool.Spare(s.core.Reserve), distances)
	}
	return w
}

// deliver delivers one message, and reports whether there was one.
func (w *world) deliver() bool {
	var choices []int
	for core := range w.cores {
		if len(w.up[core]) > 0 {
			choices = append(choices, core)
		}
		if len(w.down[core]) > 0 {
			choices = append(choices, -1-core)
		}
	}
	if len(choices) == 0 {
		return false
	}
	if core := choices[w.r.IntN(len(choices))]; core >= 0 {
		m := w.up[core][0]
		w.up[core] = w.up[core][1:]
		w.broker.Handle(core, m)
	} else {
		core = -1 - core
		m := w.down[core][0]
		w.down[core] = w.down[core][1:]
		w.cores[core].core.Handle(m)
	}
	return true
}

// settle delivers all there is and lets every core do what it can.
func (w *world) settle() {
	for idle := 0; idle < 50; idle++ {
		for w.deliver() {
			idle = 0
		}
		for _, s := range w.cores {
			if !s.dead && s.core.Retry() {
				idle = 0
			}
		}
	}
}

// kill ends a core. What it said last may still arrive, or not.
func (w *world) kill(core int) {
	w.cores[core].dead = true
	w.down[core] = nil
	w.up[core] = w.up[core][:w.r.IntN(len(w.up[core])+1)]
	for len(w.up[core]) > 0 && w.r.IntN(2) == 0 {
		w.broker.Handle(core, w.up[core][0])
		w.up[core] = w.up[core][1:]
	}
	w.up[core] = nil
	w.broker.Died(core)
}

// check checks that what a core has in its pool is its own, and no one else's.
func (w *world) check() {
	seen := make(map[uint64]int)
	for _, s := range w.cores {
		if s.dead {
			continue
		}
		lent := make(map[uint64]bool)
		for _, l := range s.core.lent {
			for at := l.block.Base; at < l.block.Base+l.block.Size; at += Least {
				lent[at] = true
			}
		}
		s.pool.Roots(func(r memory.Root, _ memory.Statistics) {
			for at := r.Base; at < r.Base+r.Size; at += Least {
				if lent[at] {
					continue
				}
				if other, twice := seen[at]; twice {
					w.t.Fatalf("%#x is in the pools of cores %d and %d", at, other, s.number)
				}
				seen[at] = s.number
				if w.owner[at] != s.number {
					w.t.Fatalf("%#x is in the pool of core %d, and core %d's", at, s.number, w.owner[at])
				}
			}
		})
	}
}

// TestRandom lets cores take and give memory, borrow, refuse and die at random,
// with messages held back. Every question is answered; no memory is ever two
// cores'; and when all is free again, all is back.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		w := newWorld(t, r, 2+r.IntN(5))
		mortal := r.IntN(2) == 0
		for range 50 + r.IntN(400) {
			s := w.cores[r.IntN(len(w.cores))]
			switch what := r.IntN(20); {
			case s.dead:
			case what < 6:
				if b, ok := s.pool.Take(memory.Least<<r.IntN(7), s.core.Reserve); ok {
					s.blocks = append(s.blocks, b)
				} else if !s.core.Asking() {
					s.asked++
					s.core.Ask(uint64(r.IntN(8 << 20)))
				}
			case what < 9 && len(s.blocks) > 0:
				i := r.IntN(len(s.blocks))
				s.pool.Give(s.blocks[i])
				s.blocks = slices.Delete(s.blocks, i, i+1)
			case what < 10:
				s.core.Retry()
			case what == 10 && mortal && s.number != 0 && r.IntN(20) == 0:
				w.kill(s.number)
			default:
				w.deliver()
			}
			w.check()
		}
		w.settle()
		w.check()
		for _, s := range w.cores {
			if !s.dead && (s.core.Asking() || len(s.got) != s.asked) {
				t.Fatalf("core %d asked %d times and got %d answers", s.number, s.asked, len(s.got))
			}
			for _, b := range s.blocks {
				s.pool.Give(b)
			}
			s.blocks = nil
		}
		w.settle()
		w.check()
		for _, s := range w.cores {
			if s.dead {
				continue
			}
			if _, idle := s.pool.Idle(); idle {
				t.Fatalf("core %d keeps what it borrowed", s.number)
			}
			if !mortal {
				if got := s.pool.Statistics(); got != (memory.Statistics{Size: ram, Usable: ram, Free: ram, Largest: ram}) || s.core.Lent() != 0 {
					t.Fatalf("core %d has %+v, lent %d", s.number, got, s.core.Lent())
				}
			}
			for _, l := range s.core.lent {
				if !l.lost {
					t.Fatalf("core %d waits for loan %d", s.number, l.loan)
				}
			}
		}
		if len(w.broker.loans) != 0 {
			t.Fatalf("the broker has %d loans", len(w.broker.loans))
		}
	})
}

// TestAlone: without the broker every question is answered at once, and what was
// borrowed stays.
func TestAlone(t *testing.T) {
	w := newWorld(t, rand.New(rand.NewPCG(1, 1)), 2)
	s := w.cores[1]
	s.core.Ask(Least)
	if s.core.Alone(); s.core.Asking() || !slices.Equal(s.got, []bool{false}) {
		t.Errorf("the question under way got %v", s.got)
	}
	s.core.Ask(Least)
	if s.core.Asking() || !slices.Equal(s.got, []bool{false, false}) {
		t.Errorf("the next got %v", s.got)
	}
	s.pool.Add(memory.Root{Reference: 9, Base: 1 << 40, Size: Least, Loan: 5})
	if s.core.Retry() {
		t.Error("gives back to no one")
	}
}

// TestChoice checks who is asked: the near before the far, of those as near the
// one with the most free, and each once.
func TestChoice(t *testing.T) {
	var sent []string
	b := NewBroker(6, func(core int, m Message) { sent = append(sent, fmt.Sprint(m.Kind, "@", core)) })
	b.Join(0, 64<<20, []byte{10, 10, 10, 20, 30, 10})
	b.Join(1, 8<<20, nil)
	b.Join(2, 16<<20, nil)
	b.Join(3, 64<<20, nil)
	b.Join(5, Least-1, nil) // has too little; core 4 has not joined
	b.Handle(0, Message{Kind: Borrow, Size: 4 << 20, Free: 64 << 20})
	for _, core := range []int{2, 1, 3} {
		b.Handle(5, Message{Kind: Lent, Loan: 1, Base: 1, Size: 1}) // was not asked
		b.Handle(core, Message{Kind: Refused, Loan: 1})
	}
	if got, want := strings.Join(sent, " "), "2@2 2@1 2@3 4@0"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// TestLoss plays the ways in which a core can be lost at a bad time.
func TestLoss(t *testing.T) {
	for name, c := range map[string]struct {
		steps func(b *Broker)
		want  string
	}{
		"the lender before it answers": {func(b *Broker) { b.Died(1) }, "2@1 2@2"},
		"the last lender":              {func(b *Broker) { b.Died(1); b.Died(2) }, "2@1 2@2 4@0"},
		"the lender afterwards":        {func(b *Broker) { b.Handle(1, Message{Kind: Lent, Loan: 1}); b.Died(1) }, "2@1 3@0 6@0"},
		"the borrower before":          {func(b *Broker) { b.Died(0); b.Handle(1, Message{Kind: Lent, Loan: 1}) }, "2@1 5@1"},
		"the borrower, and none lends": {func(b *Broker) { b.Died(0); b.Handle(1, Message{Kind: Refused, Loan: 1}) }, "2@1"},
		"the borrower afterwards":      {func(b *Broker) { b.Handle(1, Message{Kind: Lent, Loan: 1}); b.Died(0) }, "2@1 3@0 7@1"},
		"both":                         {func(b *Broker) { b.Died(0); b.Died(1) }, "2@1"},
	} {
		var sent []string
		b := NewBroker(3, func(core int, m Message) { sent = append(sent, fmt.Sprint(m.Kind, "@", core)) })
		for core := range 3 {
			b.Join(core, uint64(10-core)*Least, nil)
		}
		b.Handle(0, Message{Kind: Borrow, Size: Least, Free: 10 * Least})
		c.steps(b)
		b.Handle(0, Message{Kind: Returned, Loan: 77})
		b.Died(1)
		if got := strings.Join(sent, " "); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: sent %s, want %s", name, got, c.want)
		}
	}
}
