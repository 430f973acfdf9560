package schedule

// TakeMissed returns an entry that has missed deadlines since it was last returned,
// nil if there is none. Its Missed says how many in all.
func (s *Scheduler) TakeMissed() *Entry {
	e := s.firstLate
	if e != nil {
		s.removeLate(e)
	}
	return e
}

// miss counts deadlines missed.
func (s *Scheduler) miss(e *Entry, deadlines int64) {
	e.Missed += uint64(deadlines)
	if e.late {
		return
	}
	e.late, e.prevLate = true, s.lastLate
	if s.lastLate == nil {
		s.firstLate = e
	} else {
		s.lastLate.nextLate = e
	}
	s.lastLate = e
}

func (s *Scheduler) removeLate(e *Entry) {
	if !e.late {
		return
	}
	if e.prevLate == nil {
		s.firstLate = e.nextLate
	} else {
		e.prevLate.nextLate = e.nextLate
	}
	if e.nextLate == nil {
		s.lastLate = e.prevLate
	} else {
		e.nextLate.prevLate = e.prevLate
	}
	e.late, e.nextLate, e.prevLate = false, nil, nil
}
