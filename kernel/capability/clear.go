package capability

import (
	"skerry/abi"
	"skerry/kernel/memory"
)

// ClearUnit is how many bytes are cleared at a time.
const ClearUnit = abi.PageSize

// clearAtOnce is how many units a retype clears before it leaves the rest to
// Step.
const clearAtOnce = 8

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
		c.word = s.number()
	}
}

// stepClear clears a unit of the first object on the list. It reports whether
// there was one.
func (s *System) stepClear() bool {
	a := s.firstToClear
	if a == 0 {
		return false
	}
	c := s.at(a)
	n := min(c.size-s.cleared, ClearUnit)
	s.Kernel.Zero(memory.Phys(c.base()+s.cleared), n)
	if s.cleared += n; s.cleared == c.size {
		s.clearNoMore(a)
	}
	return true
}
