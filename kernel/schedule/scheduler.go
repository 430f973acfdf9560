package schedule

import (
	"math"
	"unsafe"
)

// MaxEntries is how many entries a Scheduler can have at a time.
const MaxEntries = 512

// Never is a time that does not come.
const Never = math.MaxInt64

// Scheduler is a core's scheduler. The zero value is ready for use.
type Scheduler struct {
	// due orders by deadline, waiting by release, fair by tag.
	due, waiting, fair heap

	// entries is how many have entered, ready how many of them are ready.
	entries, ready int64
	// account is the entry that was picked last, which pays for what is run;
	// nil if there is none.
	account *Entry

	// weight is the sum of the weights in fair, latest the highest tag that left
	// it.
	weight, latest int64
	// slicer is the fair entry whose slice it is, nil between slices. It has used
	// used ns of slice.
	slicer      *Entry
	used, slice int64

	// giver lends its turns to receiver; both are nil if nobody does.
	giver, receiver *Entry

	// reserved is the sum of densities. Densities given up count on as held until
	// heldUntil.
	reserved, held, heldUntil int64

	// firstLate and lastLate are the list of entries that missed deadlines.
	firstLate, lastLate *Entry
}

// Size is what a Scheduler takes at most, in bytes.
const Size = 16 << 10

var _ [Size - unsafe.Sizeof(Scheduler{})]byte

// Enter puts e under the scheduler, fair, with a weight, and not ready. It reports
// whether there was room and the weight is in range.
func (s *Scheduler) Enter(e *Entry, weight int) bool {
	if e.entered || s.entries == MaxEntries || !goodWeight(weight) {
		return false
	}
	s.entries++
	*e = Entry{entered: true, weight: int64(weight)}
	// It begins as one that has just had a slice. If it did not, a chain of short
	// lives could keep others from running.
	e.tag = s.virtual() + s.sliceOf(e, s.weight+e.weight)/e.weight
	return true
}

// Leave takes e out of everything and makes it the zero Entry. now is as for Retire.
func (s *Scheduler) Leave(e *Entry, now int64) {
	if !e.entered {
		return
	}
	s.endLoanOf(e)
	s.Block(e, now)
	s.Retire(e, now)
	s.removeLate(e)
	if s.account == e {
		s.account = nil
	}
	s.entries--
	*e = Entry{}
}

// Ready makes e ready to run from now on.
func (s *Scheduler) Ready(e *Entry, now int64) {
	if e.ready || !e.entered {
		return
	}
	s.advance(now)
	e.ready = true
	s.ready++
	switch {
	case s.giver == e:
		s.endLoan()
	case e.density != 0:
		s.resume(e, now)
	default:
		s.enqueueFair(e)
	}
}

// Block makes e not ready. If it lends its turns, it goes on doing so.
func (s *Scheduler) Block(e *Entry, now int64) {
	if !e.ready {
		return
	}
	if s.receiver == e {
		s.endLoan()
	}
	e.ready = false
	s.ready--
	if s.giver == e {
		return
	}
	if e.queue == due && e.deadline < now {
		s.miss(e, 1)
	}
	s.dequeue(e)
}

// Pick returns who is to run, and until when at most; nil and Never if nobody is
// ready.
func (s *Scheduler) Pick(now int64) (e *Entry, until int64) {
	s.advance(now)
	until = Never
	switch {
	case s.due.n > 0:
		e = s.due.first()
		until = min(now+e.left, e.deadline)
	case s.fair.n > 0:
		if s.slicer == nil {
			s.beginSlice()
		}
		e = s.slicer
		if s.fair.n > 1 {
			until = now + s.slice - s.used
		}
	case s.waiting.n > 0:
		e = s.waiting.first()
	}
	if s.waiting.n > 0 {
		until = min(until, s.waiting.first().release)
	}
	s.account = e
	return s.runner(), until
}

// Others returns how many entries are ready besides the one that was picked.
func (s *Scheduler) Others() int64 { return s.ready - 1 }

// Ran says that the entry picked last has run in a span of time.
func (s *Scheduler) Ran(from, to int64) {
	e := s.account
	switch {
	case e == nil || from >= to:
	case e.density != 0:
		s.spend(e, from, to)
	default:
		s.charge(e, to-from)
	}
}

// Yield ends e's turn. If it was picked in place of one that lends, that one has its
// turn back. Else, if it is fair, the next fair one goes first; if it is reserved, it
// is done with its job, and the rest of the budget is gone.
func (s *Scheduler) Yield(e *Entry) {
	switch {
	case e == s.receiver && s.account == s.giver:
		s.endLoan()
	case e.queue == due:
		s.await(e)
	case e.queue == fair:
		s.giveWay(e)
	}
}

// advance brings what depends on time alone up to now.
func (s *Scheduler) advance(now int64) {
	for {
		switch {
		case s.due.n > 0 && s.due.first().deadline <= now:
			e := s.due.first()
			s.miss(e, 1)
			s.await(e)
		case s.waiting.n > 0 && s.waiting.first().release <= now:
			e := s.waiting.first()
			s.endLoanOf(e)
			s.dequeue(e)
			if e.ready {
				s.begin(e, now)
			}
		default:
			return
		}
	}
}

// dequeue takes e out of the queue it is in, if it is in any.
func (s *Scheduler) dequeue(e *Entry) {
	switch e.queue {
	case due:
		s.due.remove(e)
	case waiting:
		s.waiting.remove(e)
	case fair:
		if s.slicer == e {
			s.settle()
		}
		s.fair.remove(e)
		s.weight -= e.weight
		s.latest = max(s.latest, e.tag)
	}
	e.queue = nowhere
}
