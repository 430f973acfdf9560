package ring

import (
	"context"
	"errors"
	"testing"

	"skerry/abi"
	"skerry/lib/channel"
	"skerry/lib/native"
)

// trials has something ready after some looks, never where that is negative, in one spell
// after the other. It returns in how many that was seen, and how many looks they took.
func (s *spell) trials(t *testing.T, after ...int) (seen, looks int) {
	t.Helper()
	c := new(Conn)
	for _, n := range after {
		left := n
		ok, err := s.poll(t.Context(), c, func() bool {
			looks++
			left--
			return left == -1
		})
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			seen++
		}
	}
	return seen, looks
}

// repeat returns n times what is given.
func repeat(n int, what ...int) (all []int) {
	for range n {
		all = append(all, what...)
	}
	return all
}

// TestFirstSpell: where others run on one of the two cores polling has to show first that
// it helps.
func TestFirstSpell(t *testing.T) {
	for load, want := range map[uint32]int{0: most, 1: most, 2: least, 9: least} {
		s := newSpell(channel.Facts{Load: load})
		if _, looks := s.trials(t, -1); looks != want {
			t.Errorf("load %d: a first spell in vain takes %d looks, want %d", load, looks, want)
		}
	}
}

// TestSpell holds how long a half polls against what that brings.
func TestSpell(t *testing.T) {
	s := newSpell(channel.Facts{})
	if seen, _ := s.trials(t, repeat(100, 100)...); seen != 100 {
		t.Errorf("of 100 messages that come soon from the start %d are seen", seen)
	}
	// They come late: hardly a look is wasted.
	s.trials(t, repeat(10, -1)...)
	if _, looks := s.trials(t, repeat(10*trial, -1)...); looks > 10*(most+trial*least) {
		t.Errorf("%d spells in vain take %d looks", 10*trial, looks)
	}
	// They come soon again: that is learnt, and kept.
	s.trials(t, repeat(trial, 100)...)
	if seen, _ := s.trials(t, repeat(100, 100)...); seen != 100 {
		t.Errorf("of 100 messages that come soon again %d are seen", seen)
	}
	// Now and then one is late.
	if seen, _ := s.trials(t, repeat(100, 100, 100, 100, 100, 100, 100, 100, -1)...); seen != 700 {
		t.Errorf("of 700 messages that come soon %d are seen, when every eighth is late", seen)
	}
	// Most are late.
	s.trials(t, repeat(20, -1, -1, 100)...)
	if _, looks := s.trials(t, repeat(10*trial, -1, -1, 100)...); looks > 30*(most+trial*100)*2 {
		t.Errorf("%d spells of which a third brings something take %d looks", 30*trial, looks)
	}
}

// TestSpellEnds has a spell in the polled form end when nothing can come any more.
func TestSpellEnds(t *testing.T) {
	never := func() bool { return false }
	s := newSpell(channel.Facts{})
	c := &Conn{config: Config{Polled: true}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := s.poll(ctx, c, never); ok || !errors.Is(err, context.Canceled) {
		t.Error("cancelled:", ok, err)
	}
	c.finished.Store(uint32(channel.ErrClosed))
	if ok, err := s.poll(t.Context(), c, never); !ok || err != nil {
		t.Error("closed:", ok, err)
	}
}

// TestSpellWanted has another program want the core: who polls stops, at once for a
// neighbour, after the least of looks for others, and learns nothing from it. In the polled
// form it goes on.
func TestSpellWanted(t *testing.T) {
	d := &abi.Dispatcher{Wanted: 1}
	set := newProgram(t).set
	set.Heed(native.PageOf(d), true)
	neighbour := set.Neighbour(func() {})
	for _, test := range []struct {
		name   string
		config Config
		after  int
		want   bool
		looks  int
	}{
		{"elsewhere", Config{}, -1, false, least},
		{"elsewhere, quick", Config{}, least - 1, true, least},
		{"neighbour", Config{Neighbour: neighbour}, -1, false, 0},
		{"polled", Config{Polled: true}, 3 * most, true, 3*most + 1},
	} {
		s := newSpell(channel.Facts{})
		looks := 0
		ok, err := s.poll(t.Context(), &Conn{config: test.config, set: set}, func() bool {
			looks++
			return looks == test.after+1
		})
		if ok != test.want || err != nil || looks != test.looks || s.looks < most || s.sleeps != 0 {
			t.Errorf("%s: %v, %v after %d looks, want %v after %d; then %+v", test.name, ok, err, looks, test.want, test.looks, s)
		}
	}
}
