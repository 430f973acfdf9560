package console

import (
	"sync/atomic"
	"unsafe"

	"skerry/abi"
)

// Status is the first page of a core's outbox: what a core's kernel says of
// itself to the others. Its core alone writes it; every core can read it.
type Status struct {
	State uint32 // abi.CoreAbsent…
	Core  uint32
	// Put counts the bytes this core has put into its outbox's ring, Lost the
	// lines it had to drop because the owner did not keep up.
	Put  uint64
	Lost uint64
	// Taken counts, on the owner's page, the bytes taken from each core's ring.
	Taken [abi.MaxCores]uint64
}

// Sizes of a core's outbox, in bytes.
const (
	StatusSize = abi.PageSize
	RingSize   = 4 * abi.PageSize
	OutboxSize = StatusSize + RingSize
)

// outboxes is where the outbox of core 0 is mapped; the others follow. A
// kernel sees its own writable and the others' read-only.
var outboxes uintptr

var self uint32

// Attach tells the package where the outboxes are mapped and which is ours.
func Attach(at uintptr, core uint32) {
	outboxes, self = at, core
	mine().Core = core
}

// Of returns the status page of a core.
func Of(core uint32) *Status {
	return (*Status)(unsafe.Pointer(outboxes + uintptr(core)*OutboxSize))
}

func mine() *Status { return Of(self) }

// StateOf returns what the kernel of a core last said of itself.
func StateOf(core uint32) uint32 { return atomic.LoadUint32(&Of(core).State) }

// SetState says what state this core's kernel is in.
func SetState(s uint32) {
	if outboxes != 0 {
		atomic.StoreUint32(&mine().State, s)
	}
}

func ring(core uint32) *[RingSize]byte {
	return (*[RingSize]byte)(unsafe.Pointer(outboxes + uintptr(core)*OutboxSize + StatusSize))
}

// put appends to our outbox all of b or, if the owner has left no room,
// nothing.
func put(b []byte) bool {
	m := mine()
	taken := atomic.LoadUint64(&Of(0).Taken[self%abi.MaxCores])
	if m.Put-taken+uint64(len(b)) > RingSize {
		return false
	}
	r := ring(self)
	for i := range b {
		r[(m.Put+uint64(i))%RingSize] = b[i]
	}
	atomic.StoreUint64(&m.Put, m.Put+uint64(len(b)))
	return true
}

// take moves bytes of a core's outbox to b. On the owner only. The count it
// reads may be anything, so it is bounded before it is believed.
func take(core uint32, b []byte) int {
	have := atomic.LoadUint64(&Of(core).Put) - mine().Taken[core%abi.MaxCores]
	n := min(have, RingSize, uint64(len(b)))
	r := ring(core)
	at := mine().Taken[core%abi.MaxCores]
	for i := range n {
		b[i] = r[(at+i)%RingSize]
	}
	// Lines are put whole, so all but the last transfer can end with one.
	for end := n; n < have && end > 0; end-- {
		if b[end-1] == '\n' {
			n = end
			break
		}
	}
	atomic.StoreUint64(&mine().Taken[core%abi.MaxCores], at+n)
	return int(n)
}
