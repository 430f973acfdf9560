package simulate

import (
	"slices"
	"testing"
)

// naive is the protocol that package transfer must not be: whoever has an import
// passes it on by itself, and a withdrawal is over when all cores have
// acknowledged it. Core 0 owns the object.
type naive struct {
	*Network[naiveMessage]
	broken
	has     []bool
	waiting int // acknowledgements to come
	over    bool
}

type naiveMessage uint8

const (
	copied naiveMessage = iota
	remove
	removed
)

func newNaive(n *Network[naiveMessage]) System[naiveMessage] {
	return &naive{Network: n, has: make([]bool, n.Cores)}
}

func (s *naive) Act(core uint32) {
	to := s.Random.Uint32N(s.Cores)
	switch {
	case core == 0 && !s.over && s.waiting == 0 && s.Chance(20):
		for other := uint32(1); other < s.Cores; other++ {
			s.Send(0, other, remove)
			s.waiting++
		}
	case to != 0 && to != core && s.waiting == 0 && !s.over && (core == 0 || s.has[core]):
		s.Send(core, to, copied)
	}
}

func (s *naive) Handle(core, from uint32, m naiveMessage) {
	switch m {
	case copied:
		s.has[core] = true
		if s.over {
			s.breaks("core %d has got a copy after the withdrawal", core)
		}
	case remove:
		s.has[core] = false
		s.Send(core, 0, removed)
	case removed:
		s.waiting--
		s.over = s.waiting == 0
	}
}

func (s *naive) Lost(core, other uint32) {}
func (s *naive) Cut(core, other uint32)  {}
func (s *naive) Stop(core uint32)        {}
func (s *naive) Settle(core uint32) bool { return false }
func (s *naive) Check() error            { return s.err }
func (s *naive) Settled() error          { return nil }
func (s *naive) End(core uint32)         {}
func (s *naive) Empty() error            { return nil }

// TestAcknowledgementsAreNotEnough finds what is wrong with naive, in few steps, and
// the same each time.
func TestAcknowledgementsAreNotEnough(t *testing.T) {
	for seed := uint64(1); seed <= 100; seed++ {
		f := Run(seed, steps, newNaive)
		if f == nil {
			continue
		}
		if again := Run(seed, steps, newNaive); again == nil || again.Err.Error() != f.Err.Error() || !slices.Equal(again.Trace, f.Trace) {
			t.Errorf("the first time: %v\nthe second time: %v", f, again)
		}
		// A copy to one core, a copy from there on, and the withdrawal, and a few
		// messages that must come in time.
		if f.Steps > 12 {
			t.Errorf("it has not become shorter than this: %v", f)
		}
		t.Logf("for example: %v", f)
		return
	}
	t.Error("100 seeds find nothing wrong with it")
}

func TestShrink(t *testing.T) {
	plan := make([]uint64, 300)
	for i := range plan {
		plan[i] = uint64(i)
	}
	want := []uint64{3, 77, 78, 290}
	got := shrink(plan, func(p []uint64) bool {
		for _, w := range want {
			if !slices.Contains(p, w) {
				return false
			}
		}
		return true
	})
	if !slices.Equal(got, want) {
		t.Errorf("%v is left, want %v", got, want)
	}
}
