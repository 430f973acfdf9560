package wait

import (
	"runtime"

	"skerry/lib/native"
)

// Neighbour is a peer on the same core: as long as this program runs it cannot answer.
type Neighbour struct {
	set  *Set
	give func()
}

// Neighbour returns one to whom give gives what is left of the program's turn. That
// returns when it is the program's turn again, at once if the neighbour cannot run.
func (s *Set) Neighbour(give func()) *Neighbour {
	s.neighbours.Add(1)
	return &Neighbour{s, give}
}

// Owe notes that the neighbour has something to do: it is to have a turn before a
// goroutine of this program waits. Of several the last one is; the others have theirs
// when the program sleeps.
func (n *Neighbour) Owe() { n.set.owed.Store(n) }

// Leave is the end of it, once. The neighbour may still be given a turn by who has begun
// to.
func (n *Neighbour) Leave() {
	n.set.owed.CompareAndSwap(n, nil)
	n.set.neighbours.Add(-1)
}

// HandOver gives a turn to the neighbour to whom one is owed, and reports whether there
// was any: then the caller looks again for what it waits for. Goroutines that something
// has come for go first, and all others if nobody has been sent anything yet: it may be one
// of them that answers. What has come meanwhile is found.
func (s *Set) HandOver() bool {
	if s.neighbours.Load() == 0 {
		return false
	}
	// Taken before others run: one of them that waits itself is to find nothing owed, or it
	// would come back here for ever instead of its sleep.
	n := s.owed.Swap(nil)
	if s.roused.Load() || n == nil {
		s.roused.Store(false)
		runtime.Gosched()
		if answered := s.owed.Swap(nil); answered != nil {
			n = answered
		}
	}
	if n == nil {
		return false
	}
	n.give()
	s.Look()
	return true
}

// Wanted reports whether other programs can run on this core: who polls is to stop, for
// what it waits for may be one of theirs to send.
func (s *Set) Wanted() bool { return s.page.Wanted() }

// Yield lets other programs of the core run, for one that must not do anything else
// about it.
func (s *Set) Yield() {
	if s.alone {
		_ = native.Yield(0) // it never fails
	}
}

// Called reports whether something may have come for the program since the last look at
// all. Of what comes without a hint the runtime's poller knows in a program with several
// dispatchers.
func (s *Set) Called() bool {
	return s.alone && s.page.Notified() != s.heard.Load() || s.board != nil && s.board.Hinted()
}
