package kcb

import "math/bits"

// Numbers is a set of numbers of dispatchers. The zero value is empty.
type Numbers [MaxDispatchers / 64]uint64

// Add adds those of a set of 64 numbers whose bit 0 is number 64*word.
func (s *Numbers) Add(word int, set uint64) { s[word%len(s)] |= set }

// Any reports whether there are any.
func (s *Numbers) Any() bool {
	for _, w := range s {
		if w != 0 {
			return true
		}
	}
	return false
}

// Take takes the least number out of the set. ok is false if it is empty.
func (s *Numbers) Take() (n uint64, ok bool) {
	for i, w := range s {
		if w != 0 {
			s[i] = w & (w - 1)
			return uint64(i*64 + bits.TrailingZeros64(w)), true
		}
	}
	return 0, false
}
