package supply

// ListMost is how many threads one answer to List names at most.
const ListMost = 8

// Listing is the payload of List and Listed: a question about a dispatcher's
// threads, and its end.
type Listing struct {
	// Query is the asker's own number of the question. It comes back with every
	// part of the answer, so that late answers to an older question are known.
	Query uint32
	// Next is where to begin: 0 at first, then what Listed said. In Listed, 0
	// says that there are no more threads. It is a position, not a count: threads
	// that begin or end meanwhile may be missed, none is named twice.
	Next uint32
}

// ListingSize is the size of a Listing in a message, in bytes.
const ListingSize = 8

// Thread is the payload of the message of that kind: what one thread of a
// dispatcher is doing.
type Thread struct {
	Query uint32 // of the List that this answers
	ID    uint32 // its Linux thread number
	CPU   uint32 // which of its domain's dispatchers it is on, as sched_getcpu tells
	State State
	Wait  Wait // what for, if it is Blocked
	// Policy is its Linux scheduling policy, SCHED_OTHER and so on; Priority its
	// fixed priority, 1 to 99, or 0 if the policy has none; Nice its nice value,
	// -20 to 19.
	Policy, Priority uint8
	Nice             int8
	// Call is the number of the Linux call that it is blocked in, and Object what
	// it waits for there: the futex's address, or the call's first argument, for
	// a file its descriptor. Both are 0 for others.
	Call   uint16
	Object uint64
	// Deadline is when it stops to wait, in ns of system time; 0 is never.
	Deadline int64
	// Name is what it calls itself, padded with NUL; empty unless it did.
	Name [16]byte
}

// State is what a thread is doing.
type State uint8

// The states of a thread.
const (
	Running State = 1 + iota // it is its dispatcher's current one
	Ready                    // it waits for its turn
	Blocked                  // it waits for something else
)

// String returns the state's name.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Ready:
		return "ready"
	case Blocked:
		return "blocked"
	}
	return "unknown"
}

// Wait is what a blocked thread waits for.
type Wait uint8

// What threads wait for, besides their deadline.
const (
	WaitNothing Wait = iota
	WaitFutex        // a futex: Object is its address
	WaitFile         // a file or several: Call and Object say which
	WaitTime         // nothing but the deadline
	WaitPeer         // an answer of another dispatcher of the domain
)

// String returns what a thread waits for in a word.
func (w Wait) String() string {
	switch w {
	case WaitNothing:
		return ""
	case WaitFutex:
		return "futex"
	case WaitFile:
		return "file"
	case WaitTime:
		return "time"
	case WaitPeer:
		return "dispatcher"
	}
	return "unknown"
}

// ThreadSize is the size of a Thread in a message, in bytes.
const ThreadSize = 52

// Put writes l as a payload.
func (l *Listing) Put(b *[ListingSize]byte) {
	put(b[0:4], uint64(l.Query))
	put(b[4:8], uint64(l.Next))
}

// Get reads a payload, of which n bytes came, and reports whether it is one.
func (l *Listing) Get(b []byte, n int) bool {
	if n != ListingSize || len(b) < n {
		return false
	}
	*l = Listing{Query: uint32(get(b[0:4])), Next: uint32(get(b[4:8]))}
	return true
}

// Put writes t as a payload.
func (t *Thread) Put(b *[ThreadSize]byte) {
	put(b[0:4], uint64(t.Query))
	put(b[4:8], uint64(t.ID))
	put(b[8:12], uint64(t.CPU))
	b[12], b[13], b[14], b[15] = byte(t.State), byte(t.Wait), t.Policy, t.Priority
	b[16], b[17] = byte(t.Nice), 0
	put(b[18:20], uint64(t.Call))
	put(b[20:28], t.Object)
	put(b[28:36], uint64(t.Deadline))
	copy(b[36:], t.Name[:])
}

// Get reads a payload, of which n bytes came, and reports whether it is one. What
// it says may still be anything: a libos is not trusted.
func (t *Thread) Get(b []byte, n int) bool {
	if n != ThreadSize || len(b) < n {
		return false
	}
	*t = Thread{
		Query: uint32(get(b[0:4])), ID: uint32(get(b[4:8])), CPU: uint32(get(b[8:12])),
		State: State(b[12]), Wait: Wait(b[13]), Policy: b[14], Priority: b[15], Nice: int8(b[16]),
		Call: uint16(get(b[18:20])), Object: get(b[20:28]), Deadline: int64(get(b[28:36])),
	}
	copy(t.Name[:], b[36:])
	return true
}

// put writes the low bytes of v, the lowest first.
func put(b []byte, v uint64) {
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

// get is the inverse of put.
func get(b []byte) uint64 {
	v := uint64(0)
	for i := range b {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}
