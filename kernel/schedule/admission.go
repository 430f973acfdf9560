package schedule

// Reservation is processor time that a dispatcher is to have: Budget in every
// Period, by Deadline after the period's start. All are in ns.
type Reservation struct {
	Period, Budget, Deadline int64
}

// Bounds of a reservation, in ns: MinBudget ≤ Budget ≤ Deadline ≤ Period ≤ MaxPeriod.
// MinBudget bounds how often the core has to switch for those with reservations.
// MaxPeriod bounds how long the others may wait.
const (
	MinBudget = 50_000
	MaxPeriod = 1_000_000_000
)

// Whole is a core, in the unit of densities; Bound of it can be reserved. The rest
// is always left to the fair entries.
const (
	Whole = 1_000_000
	Bound = Whole * 9 / 10
)

// Reason says why a reservation was refused.
type Reason uint8

const (
	Admitted    Reason = iota
	Overload           // too much for what is left of the core
	BadBudget          // less than MinBudget
	BadDeadline        // less than the budget
	BadPeriod          // less than the deadline, or more than MaxPeriod
	NotEntered         // the scheduler does not know the entry
)

var reasons = [...]string{
	Admitted:    "admitted",
	Overload:    "too much for what is left of the core",
	BadBudget:   "budget too small",
	BadDeadline: "deadline less than budget",
	BadPeriod:   "period less than deadline, or too long",
	NotEntered:  "no such dispatcher",
}

func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "unknown"
}

// Answer is what is said to a reservation.
type Answer struct {
	Reason Reason
	// Left is how much e could have reserved, as budget per deadline in
	// millionths.
	Left int64
}

// check returns what is wrong with the parameters, or Admitted.
func (r *Reservation) check() Reason {
	switch {
	case r.Budget < MinBudget:
		return BadBudget
	case r.Deadline < r.Budget:
		return BadDeadline
	case r.Period < r.Deadline || r.Period > MaxPeriod:
		return BadPeriod
	}
	return Admitted
}

// density returns budget per deadline in millionths, rounded up.
func (r *Reservation) density() int64 {
	return (r.Budget*Whole + r.Deadline - 1) / r.Deadline
}

// Reserved returns how much of the core is reserved, in millionths.
func (s *Scheduler) Reserved() int64 { return s.reserved }

// Left returns how much can be reserved for e now, as budget per deadline in
// millionths.
func (s *Scheduler) Left(e *Entry, now int64) int64 {
	if now >= s.heldUntil {
		s.held = 0
	}
	return Bound - s.reserved - s.held + e.density
}

// Admit gives e a reservation if the core can keep it. If e has one it is changed,
// from its next release on. A refusal changes nothing.
//
// What another has just given up may still be refused until the deadline of its last
// job, since it may have used that job's budget already.
func (s *Scheduler) Admit(e *Entry, r Reservation, now int64) Answer {
	left := s.Left(e, now)
	reason := r.check()
	switch {
	case !e.entered:
		reason = NotEntered
	case reason == Admitted && r.density() > left:
		reason = Overload
	}
	if reason != Admitted {
		return Answer{reason, left}
	}
	first := e.density == 0
	s.reserve(e, r.density(), now)
	e.reservation = r
	if first {
		e.left, e.deadline, e.release = 0, now, now
		s.endLoanOf(e)
		if e.ready {
			s.dequeue(e)
			s.begin(e, now)
		}
	}
	return Answer{Admitted, left}
}

// Retire ends e's reservation: it is a fair one from now on.
func (s *Scheduler) Retire(e *Entry, now int64) {
	if e.density == 0 {
		return
	}
	s.endLoanOf(e)
	s.dequeue(e)
	s.reserve(e, 0, now)
	e.reservation = Reservation{}
	if e.ready {
		s.enqueueFair(e)
	}
}

// reserve makes density that of e. What it gives up is held until the deadline of
// its job.
func (s *Scheduler) reserve(e *Entry, density, now int64) {
	if up := e.density - density; up > 0 && now < e.deadline {
		if now >= s.heldUntil {
			s.held = 0
		}
		s.held += up
		s.heldUntil = max(s.heldUntil, e.deadline)
	}
	s.reserved += density - e.density
	e.density = density
}
