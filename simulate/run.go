package simulate

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
)

// System is what runs on the cores: machines, and programs and kernels made up
// for them. It sends by Network.Send and decides by Network.Random. No method is
// called for a core that has stopped.
type System[M any] interface {
	// Act has something happen on a core: a program asks for something or ends,
	// a kernel goes on with what it has begun.
	Act(core uint32)
	// Handle has a message arrive.
	Handle(core, from uint32, m M)
	// Lost and Cut tell a core of others, as package protocol says.
	Lost(core, other uint32)
	Cut(core, other uint32)
	// Stop takes note that a core has stopped: nothing on it does anything more.
	Stop(core uint32)
	// Settle has a core do something that it must do sometime, and returns false
	// if there is nothing. It begins nothing new.
	Settle(core uint32) bool
	// Check returns what is broken, after each step.
	Check() error
	// Settled returns what is broken when nothing is on its way and Settle has
	// nothing to do: above all, who still waits.
	Settled() error
	// End ends all programs of a core. Empty then returns what is left, when
	// it has settled again.
	End(core uint32)
	Empty() error
}

// Failure is a run that broke something.
type Failure struct {
	Seed  uint64
	Err   error
	Steps int      // that it takes, before all comes to rest
	Trace []string // what happened
}

// Error implements error.
func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d: %v\nin %d steps, and what follows by itself:\n    %s",
		f.Seed, f.Err, f.Steps, strings.Join(f.Trace, "\n    "))
}

// settleMax is how many steps a run may need to come to rest.
const settleMax = 100_000

// run is a run that can be repeated, with all its steps or some.
type run[M any] struct {
	seed  uint64
	build func(*Network[M]) System[M]
}

// Run runs a System of a seed for at most so many steps, and then until all has
// come to rest. It returns nil if nothing broke.
func Run[M any](seed uint64, steps int, build func(*Network[M]) System[M]) *Failure {
	r := run[M]{seed, build}
	plan := make([]uint64, steps)
	source := rand.NewPCG(seed, 1)
	for i := range plan {
		plan[i] = source.Uint64()
	}
	if _, err := r.do(plan, false); err == nil {
		return nil
	}
	plan = shrink(plan, func(p []uint64) bool { _, err := r.do(p, false); return err != nil })
	trace, err := r.do(plan, true)
	return &Failure{Seed: seed, Err: err, Steps: len(plan), Trace: trace}
}

// character is what a seed decides once.
type character struct {
	cores    uint32
	star     bool
	delivery int // of a hundred steps, how many have a message arrive
	losses   int // at most
	loss     int // of a thousand steps
	lose0    bool
}

func (r run[M]) character() character {
	random := rand.New(rand.NewPCG(r.seed, 2))
	return character{
		cores:    2 + random.Uint32N(4),
		star:     random.IntN(2) == 0,
		delivery: 20 + 15*random.IntN(5),
		losses:   random.IntN(3),
		loss:     2 + random.IntN(20),
		lose0:    random.IntN(4) == 0,
	}
}

// do takes the steps of a plan, and lets all come to rest, twice.
func (r run[M]) do(plan []uint64, tracing bool) (trace []string, err error) {
	c := r.character()
	n := newNetwork[M](c.cores, c.star)
	n.tracing = tracing
	n.Logf("%d cores, star %v", c.cores, c.star)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		trace = n.trace
	}()
	n.source.Seed(r.seed, 3)
	s := r.build(n)
	for _, step := range plan {
		n.source.Seed(step, 0)
		r.step(n, s, &c)
		if err := s.Check(); err != nil {
			return nil, err
		}
	}
	n.source.Seed(r.seed, 4)
	if err := r.settle(n, s); err != nil {
		return nil, err
	}
	if err := s.Settled(); err != nil {
		return nil, fmt.Errorf("at rest: %w", err)
	}
	n.Logf("all programs end")
	for core := range n.Cores {
		if n.alive[core] {
			s.End(core)
		}
	}
	if err := r.settle(n, s); err != nil {
		return nil, err
	}
	if err := s.Empty(); err != nil {
		return nil, fmt.Errorf("when all programs have ended: %w", err)
	}
	return nil, nil
}

// step has one thing happen.
func (r run[M]) step(n *Network[M], s System[M], c *character) {
	core := n.Random.Uint32N(n.Cores)
	switch {
	case c.losses > 0 && n.Random.IntN(1000) < c.loss:
		if !n.alive[core] || core == 0 && !c.lose0 {
			return
		}
		c.losses--
		n.Logf("core %d stops", core)
		n.stop(core)
		s.Stop(core)
	case n.Chance(c.delivery):
		n.deliver(s)
	case n.alive[core]:
		s.Act(core)
	}
}

// settle has all that is on its way arrive, and all be done that must be.
func (r run[M]) settle(n *Network[M], s System[M]) error {
	for range settleMax {
		core := n.Random.Uint32N(n.Cores)
		did := n.Chance(25) && n.alive[core] && s.Settle(core)
		did = did || n.deliver(s)
		for core := uint32(0); core < n.Cores && !did; core++ {
			did = n.alive[core] && s.Settle(core)
		}
		if !did {
			return nil
		}
		if err := s.Check(); err != nil {
			return err
		}
	}
	return fmt.Errorf("it has not come to rest in %d steps", settleMax)
}
