package wait

import (
	"runtime"
	"syscall"
)

// patience is how often in a row the pump may be kept from sleep by hints before
// it asks all the same.
const patience = 16

// pump sleeps, and wakes whom it must, until the file fails.
func (s *Set) pump() {
	defer close(s.ended)
	sleep := s.sleep // bound once
	for {
		err := s.conn.Read(sleep)
		s.mu.Lock()
		if err != nil {
			s.fail(err)
			s.mu.Unlock()
			return
		}
		if s.board != nil {
			s.board.Withdraw()
		}
		found := s.distribute()
		s.mu.Unlock()
		if found {
			// Those that were hinted go first: to ask all takes its time.
			runtime.Gosched()
		}
	}
}

// sleep reports whether the pump is not to sleep, or has slept: the runtime calls
// it before, and again when the file has become readable. What makes it readable
// after the first call has emptied it ends the sleep.
func (s *Set) sleep(fd uintptr) bool {
	if s.asleep {
		s.asleep = false
		return true
	}
	// Emptied now, not after the sleep: not every file says that there is more in
	// it when there was something already.
	s.drain(fd)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asleep = s.board == nil || s.board.Announce()
	if s.restless++; s.asleep || s.restless > patience {
		s.restless = 0
		// Whom this rouses sees to what has come: the pump can sleep.
		s.ask(unhinted)
		s.ask(hinted)
	}
	return !s.asleep
}

// ask asks all items of a kind at which somebody waits. The caller has the lock.
func (s *Set) ask(kind int) {
	if kind == unhinted {
		s.heard.Store(s.page.Notified()) // before it asks: what comes meanwhile is asked for again
	}
	for _, i := range s.armed[kind] {
		if i.pending != nil && i.pending() {
			i.rouse()
		}
	}
}

// drain reads away what has made the file readable.
func (s *Set) drain(fd uintptr) {
	for {
		n, err := syscall.Read(int(fd), s.buffer[:])
		if n < len(s.buffer) && err != syscall.EINTR {
			return
		}
	}
}

// distribute takes the hints that stand, rouses those they are for, and reports
// whether there were any.
func (s *Set) distribute() (found bool) {
	if s.board == nil {
		return false
	}
	for n, ok := s.board.Next(); ok; n, ok = s.board.Next() {
		found = true
		for i := s.numbers[n].first; i != nil; i = i.next {
			i.rouse()
		}
	}
	return found
}

// fail ends all waiting.
func (s *Set) fail(why error) {
	if s.err == nil {
		s.err = why
	}
	for _, armed := range s.armed {
		for _, i := range armed {
			i.Wake()
		}
	}
}
