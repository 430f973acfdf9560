// Package shootdown decides when memory that was taken out of page tables can
// no longer be reached by other cores, whose processors may still hold
// translations of it.
//
// The CPU driver imports it; see docs/spanning.md. It is a pure state machine
// over one kernel's State, which lies in the KCB: it touches no hardware and no
// mailbox, allocates nothing, and never waits. Every operation takes at most one
// look at each core.
//
// Taking a translation away begins a generation. Nothing is said to anybody until
// somebody needs to know that a generation is over: then each core that has part
// in the page tables is requested to forget all it knows, and acknowledges that
// with the number it read. One request is on its way to a core at a time, and a
// later one covers all generations up to it, so that however much is taken away,
// a core is interrupted no more often than it answers.
package shootdown

import "skerry/abi"

// State is what a kernel keeps of the translations that it takes away. The zero
// value is that of a kernel whose page tables are its core's alone.
type State struct {
	// generation counts what was taken away while others had part in it; all
	// cores have forgotten what was up to settled. needed is the last generation
	// that somebody waits for.
	generation, settled, needed uint64

	peers  [abi.MaxCores]peer
	shares int // how many have tables and have not ended
}

// peer is what is kept of another core.
type peer struct {
	// tables is how many of its top tables lead to page tables of this core. When
	// there are none any longer it has to answer once more, for last: until then
	// its processor may have known some.
	tables uint64
	last   uint64
	// asked is the last generation that it was requested to forget, answered the
	// last that it has. If they differ a request is on its way.
	asked, answered uint64
	// ended says that its kernel has ended, and its processor with it.
	ended bool
}

// wanted returns the last generation that p must forget.
func (s *State) wanted(p *peer) uint64 {
	switch {
	case p.ended:
		return 0
	case p.tables > 0:
		return s.generation
	}
	return p.last
}

// Share says how many top tables of another core lead to page tables of this
// one.
func (s *State) Share(core uint32, tables uint64) {
	p := &s.peers[core%abi.MaxCores]
	switch {
	case p.ended:
	case p.tables == 0 && tables > 0:
		s.shares++
		if p.answered >= p.last {
			// It has known nothing of them up to now.
			p.asked, p.answered = s.generation, s.generation
		}
	case p.tables > 0 && tables == 0:
		s.shares--
		s.generation++
		p.last = s.generation
	}
	p.tables = tables
	s.count()
}

// Taken begins a generation: a translation was taken away. What settles it comes
// after.
func (s *State) Taken() {
	if s.shares > 0 {
		s.generation++
	}
}

// Generation returns the present generation.
func (s *State) Generation() uint64 { return s.generation }

// Settled reports whether all cores have forgotten what was taken away up to a
// generation.
func (s *State) Settled(generation uint64) bool { return s.settled >= generation }

// Need says that somebody waits until a generation is settled: Request tells who
// is to be asked.
func (s *State) Need(generation uint64) {
	s.needed = max(s.needed, min(generation, s.generation))
}

// Request returns the generation that a core is now to be requested to forget,
// if any is needed and no other request is on its way to it. The caller sends it.
func (s *State) Request(core uint32) (generation uint64, ok bool) {
	p := &s.peers[core%abi.MaxCores]
	if p.asked != p.answered || p.answered >= min(s.wanted(p), s.needed) {
		return 0, false
	}
	p.asked = s.generation
	return p.asked, true
}

// Answer takes what a core says that it has forgotten, whatever it says. It
// reports whether more is settled by it than before.
func (s *State) Answer(core uint32, generation uint64) bool {
	p := &s.peers[core%abi.MaxCores]
	if p.asked == p.answered || generation != p.asked {
		return false
	}
	p.answered = p.asked
	return s.count()
}

// Asked reports whether a request is on its way to a core.
func (s *State) Asked(core uint32) bool {
	p := &s.peers[core%abi.MaxCores]
	return p.asked != p.answered && !p.ended
}

// End says that a core's kernel has ended, and so knows nothing any more. It
// reports whether more is settled by it than before.
func (s *State) End(core uint32) bool {
	p := &s.peers[core%abi.MaxCores]
	if !p.ended && p.tables > 0 {
		s.shares--
	}
	p.ended = true
	return s.count()
}

// count finds what is settled, and reports whether that is more than before.
func (s *State) count() bool {
	before := s.settled
	s.settled = s.generation
	for i := range s.peers {
		if p := &s.peers[i]; p.answered < s.wanted(p) {
			s.settled = min(s.settled, p.answered)
		}
	}
	return s.settled > before
}
