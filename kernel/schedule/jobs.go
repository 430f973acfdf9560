package schedule

// begin starts the next job of e, which is ready, in no queue, and whose release has
// come.
func (s *Scheduler) begin(e *Entry, now int64) {
	r := &e.reservation
	e.left = min(e.left, 0)
	if skipped := (now - e.release) / r.Period; skipped > 0 {
		// The core stood still for whole periods. What e ran itself then is no
		// reason to complain.
		had := min(skipped, -e.left/r.Budget)
		e.left += had * r.Budget
		e.release += skipped * r.Period
		if skipped > had {
			s.miss(e, skipped-had)
		}
	}
	e.deadline = e.release + r.Deadline
	e.release += r.Period
	e.left = max(e.left+r.Budget, 0)
	s.enqueueReserved(e)
}

// resume puts e, which was blocked and has a reservation, where it belongs.
func (s *Scheduler) resume(e *Entry, now int64) {
	r := &e.reservation
	if now >= e.release {
		e.release = now
		s.begin(e, now)
		return
	}
	rest := max(e.deadline-now, 0)
	e.left = min(e.left, rest*r.Budget/r.Deadline)
	s.enqueueReserved(e)
}

func (s *Scheduler) enqueueReserved(e *Entry) {
	if e.left > 0 {
		e.queue = due
		s.due.push(e, e.deadline)
	} else {
		e.queue = waiting
		s.waiting.push(e, e.release)
	}
}

// spend takes what was run from the budget of e.
func (s *Scheduler) spend(e *Entry, from, to int64) {
	switch e.queue {
	case due:
		late := e.deadline-from < e.left
		e.left -= to - from
		if e.left > 0 {
			return
		}
		e.Throttled++
		if late {
			s.miss(e, 1)
		}
		s.await(e)
	case waiting:
		e.left -= max(to-max(from, e.release), 0)
	default:
		e.left -= to - from
	}
}

// await ends the job of e, which is due: if it is ready it waits for the next.
func (s *Scheduler) await(e *Entry) {
	s.endLoanOf(e)
	s.dequeue(e)
	e.left = min(e.left, 0)
	if e.ready {
		s.enqueueReserved(e)
	}
}
