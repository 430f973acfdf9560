package schedule

// Donate lets to, which must be ready, run in place of from, which must be the one
// picked last, with from's urgency, on from's slice or budget, and at from's expense.
// If from runs on a slice lent to it, to does so instead; lending it back to its
// owner just ends the loan.
//
// It lasts until the slice or the job is over, to blocks, yields it or lends it on,
// from becomes ready after having blocked, or somebody else lends. So a call that waits
// for its answer is Ready(to), Donate(from, to), Block(from), Pick. It reports
// whether it was done.
func (s *Scheduler) Donate(from, to *Entry) bool {
	a := s.account
	if a == nil || a.queue == nowhere || s.runner() != from || from == to || !to.ready {
		return false
	}
	if s.giver != a || to == a {
		s.endLoan()
	}
	if to != a {
		s.giver, s.receiver = a, to
	}
	return true
}

// runner returns who runs in the turn of the entry picked last.
func (s *Scheduler) runner() *Entry {
	if s.account != nil && s.account == s.giver {
		return s.receiver
	}
	return s.account
}

// endLoan ends the loan that stands, if one does.
func (s *Scheduler) endLoan() {
	g := s.giver
	s.giver, s.receiver = nil, nil
	if g != nil && !g.ready {
		s.dequeue(g)
	}
}

// endLoanOf ends the loan if it is by e.
func (s *Scheduler) endLoanOf(e *Entry) {
	if s.giver == e {
		s.endLoan()
	}
}

// Recall ends the loan if it is by e, which has its turn back as far as that is not over.
// It reports whether it was.
func (s *Scheduler) Recall(e *Entry) bool {
	if s.giver != e {
		return false
	}
	s.endLoan()
	return true
}
