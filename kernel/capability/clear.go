package capability

import (
	"skerry/abi"
	"skerry/kernel/memory"
)

// ClearUnit is how many bytes are cleared at a time: in one object, or in as
// many as are no larger together.
const ClearUnit = 8 * abi.PageSize

// clearLater appends a new object to the clear list.
func (s *System) clearLater(a memory.Phys) {
	c := s.at(a)
	c.state, c.word, c.next = clearing, uint64(s.lastToClear), 0
	if s.lastToClear == 0 {
		s.firstToClear = a
	} else {
		s.at(s.lastToClear).next = a
	}
	s.lastToClear = a
}

// clearNoMore takes an object off the clear list: it is ready, or is to go.
func (s *System) clearNoMore(a memory.Phys) {
	c := s.at(a)
	before := memory.Phys(c.word)
	if before == 0 {
		s.firstToClear, s.cleared = c.next, 0
	} else {
		s.at(before).next = c.next
	}
	if c.next == 0 {
		s.lastToClear = before
	} else {
		s.at(c.next).word = uint64(before)
	}
	c.state, c.word, c.next = live, 0, 0
	if isTable(c.kind) {
		s.begin(c)
	}
}

// stepClear clears a unit of what is on the list. It reports whether there was
// anything.
func (s *System) stepClear() bool {
	if s.firstToClear == 0 {
		return false
	}
	for left := uint64(ClearUnit); left > 0 && s.firstToClear != 0; {
		c := s.at(s.firstToClear)
		n := min(c.size-s.cleared, left)
		s.Kernel.Zero(memory.Phys(c.base()+s.cleared), n)
		left -= n
		if s.cleared += n; s.cleared == c.size {
			s.clearNoMore(s.firstToClear)
		}
	}
	return true
}
