package schedule

// The slices of fair entries, in ns.
const (
	// Latency is how long a round of all ready fair entries takes, as long as no
	// slice falls below Floor.
	Latency = 20_000_000
	// Floor is the shortest slice.
	Floor = 1_000_000
	// maxCharge is what one run costs at most. Only a clock that jumps, or a
	// kernel that is late by more than a whole round, makes one longer.
	maxCharge = 2 * Latency
)

// MinWeight and MaxWeight bound a weight, NormalWeight is that of one without special
// wishes.
const (
	MinWeight    = 1
	NormalWeight = 100
	MaxWeight    = 10_000
)

func goodWeight(weight int) bool { return MinWeight <= weight && weight <= MaxWeight }

// SetWeight changes e's weight. It reports whether it is in range.
func (s *Scheduler) SetWeight(e *Entry, weight int) bool {
	if !e.entered || !goodWeight(weight) {
		return false
	}
	if s.slicer == e {
		s.endSlice()
	}
	// What it owes is service; the tag has it per weight.
	now, old := s.virtual(), e.weight
	e.weight, e.rest = int64(weight), 0
	if owed := e.tag - now; owed > 0 {
		e.tag = now + owed*old/e.weight
	}
	if e.queue == fair {
		s.weight += e.weight - old
		s.fair.fix(e, e.tag)
	}
	return true
}

// virtual returns the virtual time: the lowest tag that is ready. With none ready
// nobody owes anything.
func (s *Scheduler) virtual() int64 {
	if s.fair.n > 0 {
		return s.fair.first().tag
	}
	return s.latest
}

// enqueueFair makes e one of the ready fair ones. If by its tag it is to go before
// the present slice's owner, it has to wait for no more than Floor of that slice.
func (s *Scheduler) enqueueFair(e *Entry) {
	e.tag = max(e.tag, s.virtual())
	e.queue = fair
	s.fair.push(e, e.tag)
	s.weight += e.weight
	if o := s.slicer; o != nil && e.tag <= o.tag+s.used/o.weight {
		s.slice = min(s.slice, Floor)
		if s.used >= s.slice {
			s.endSlice()
		}
	}
}

// sliceOf returns the length of a slice of e if the weights of all ready sum up to
// total.
func (s *Scheduler) sliceOf(e *Entry, total int64) int64 {
	return max(Latency*e.weight/total, Floor)
}

// beginSlice begins the slice of the one with the lowest tag.
func (s *Scheduler) beginSlice() {
	s.slicer = s.fair.first()
	s.used, s.slice = 0, s.sliceOf(s.slicer, s.weight)
}

// endSlice ends the present slice, and what its owner lent with it.
func (s *Scheduler) endSlice() {
	e := s.slicer
	s.settle()
	s.endLoanOf(e)
}

// settle adds what was used of the present slice to its owner's tag, and ends it.
func (s *Scheduler) settle() {
	e := s.slicer
	s.slicer = nil
	e.served(s.used)
	s.fair.fix(e, e.tag)
}

// charge makes e, which is fair, pay for a run.
func (s *Scheduler) charge(e *Entry, ran int64) {
	ran = min(ran, maxCharge)
	if s.slicer != e {
		e.served(ran)
		if e.queue == fair {
			s.fair.fix(e, e.tag)
		}
		return
	}
	s.used += ran
	if s.used >= s.slice {
		s.endSlice()
	}
}

func (e *Entry) served(ran int64) {
	e.rest += ran
	e.tag += e.rest / e.weight
	e.rest %= e.weight
}

// giveWay ends the slice of e, which is fair, and lets the next one go first.
func (s *Scheduler) giveWay(e *Entry) {
	if s.slicer == e {
		s.endSlice()
	}
	if s.fair.n > 1 && s.fair.first() == e {
		e.tag = max(e.tag, s.fair.second()+1)
		s.fair.fix(e, e.tag)
	}
}
