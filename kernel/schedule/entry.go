package schedule

// Entry is what the scheduler keeps in a dispatcher. The zero value is one that has
// not entered. It must not move while it is entered.
type Entry struct {
	// Missed counts the deadlines it missed, Throttled the jobs whose budget
	// was used up.
	Missed, Throttled uint64

	// reservation is zero for a fair entry, and so is density, its budget per
	// deadline in millionths.
	reservation Reservation
	density     int64
	// left is the rest of the job's budget; below zero, what it had too much.
	left int64
	// deadline is when the job must be done, release the earliest time at which
	// the next one is released.
	deadline, release int64

	weight int64
	// tag is its virtual time: service in ns per weight, with a remainder in
	// rest below the weight.
	tag, rest int64

	// key orders the heap it is in, position is its place there.
	key      int64
	position int32
	queue    queue
	entered  bool
	ready    bool

	// late says that it is in the list of those that missed a deadline.
	late               bool
	nextLate, prevLate *Entry
}

// queue is where an entry is.
type queue uint8

const (
	nowhere queue = iota
	due           // reserved, with a job that has budget
	waiting       // reserved, ready, until the next release
	fair
)

// Weight returns its weight among the fair ones.
func (e *Entry) Weight() int { return int(e.weight) }

// Reservation returns what is reserved for it, and whether anything is.
func (e *Entry) Reservation() (Reservation, bool) { return e.reservation, e.density != 0 }

// IsReady says whether it is ready to run.
func (e *Entry) IsReady() bool { return e.ready }
