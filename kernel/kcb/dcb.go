package kcb

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/memory"
)

// DCB is a dispatcher control block: what a CPU driver keeps of a dispatcher,
// out of the user's reach. It lies in one page; another is the vector save
// area that goes with Regs.
type DCB struct {
	// Regs is the dispatcher's state while it does not run, or the arguments
	// and results of its native call.
	Regs abi.Registers
	// Vector is the address of the vector save area.
	Vector uintptr

	ID, Parent uint32
	Name       [32]byte
	State      uint32 // abi.DomainReady…
	Resume     uint32 // Resume…
	Rights     uint64

	// Root is its address space, Frame its dispatcher frame's pages.
	Root  memory.Phys
	Frame [abi.DispatcherSize / abi.PageSize]memory.Phys
	// Entries are its upcalls; all 0 until it has registered them.
	Entries abi.Entries

	// Pages counts the pages charged to it, Quota bounds them.
	Pages, PeakPages, Quota uint64
	// Stdio is where its parent maps the frame that they share, 0 if none.
	Stdio uint64
	// Children counts domains whose parent it is and that still exist.
	Children uint32

	// WakeAt is when it wants to be woken, WakePosition its place in the
	// heap plus one.
	WakeAt       int64
	WakePosition int
	// Notified counts what it was notified of.
	Notified uint64

	CPU        int64
	Dispatches uint64
	Upcalls    uint64
	Faults     uint64

	// Status says how it ended, once State is abi.DomainEnded; Reaped that
	// its parent knows; Reclaimed that its memory has been taken back.
	Status            abi.Status
	Reaped, Reclaimed bool

	queued     bool
	next, prev *DCB
}

// How a dispatcher goes on when it is next dispatched.
const (
	// ResumeCall: from Regs, vector registers in their initial state.
	ResumeCall = iota
	// ResumeExact: from Regs and the vector save area.
	ResumeExact
	// ResumeRun: by the run upcall after it parked.
	ResumeRun
	// ResumePreempted: by the run upcall, its state being in the Enabled area.
	ResumePreempted
)

// DCBPages is how many pages a DCB takes with its vector save area.
const DCBPages = 2

var _ [abi.PageSize - unsafe.Sizeof(DCB{})]byte

// Queue is a list of DCBs. A DCB is in at most one.
type Queue struct {
	First, Last *DCB
	Len         int
}

// Push appends d if it is in no queue.
func (q *Queue) Push(d *DCB) {
	if d.queued {
		return
	}
	d.queued, d.next, d.prev = true, nil, q.Last
	if q.Last == nil {
		q.First = d
	} else {
		q.Last.next = d
	}
	q.Last = d
	q.Len++
}

// Remove takes d out of the queue, in which it must be if it is in any.
func (q *Queue) Remove(d *DCB) {
	if !d.queued {
		return
	}
	if d.prev == nil {
		q.First = d.next
	} else {
		d.prev.next = d.next
	}
	if d.next == nil {
		q.Last = d.prev
	} else {
		d.next.prev = d.prev
	}
	d.queued, d.next, d.prev = false, nil, nil
	q.Len--
}

// WakeLater sets the time at which d is to be woken; 0 is never.
func (k *KCB) WakeLater(d *DCB, at int64) {
	if d.WakePosition > 0 {
		p := d.WakePosition - 1
		k.NumWakeups--
		last := k.Wakeups[k.NumWakeups]
		k.Wakeups[k.NumWakeups] = nil
		d.WakePosition = 0
		if last != d {
			k.place(p, last)
			k.sink(k.rise(p))
		}
	}
	d.WakeAt = at
	if at == 0 {
		return
	}
	k.place(k.NumWakeups, d)
	k.NumWakeups++
	k.rise(k.NumWakeups - 1)
}

// NextWakeup returns the dispatcher that is to be woken first, or nil.
func (k *KCB) NextWakeup() *DCB {
	if k.NumWakeups == 0 {
		return nil
	}
	return k.Wakeups[0]
}

func (k *KCB) place(p int, d *DCB) {
	k.Wakeups[p] = d
	d.WakePosition = p + 1
}

func (k *KCB) swap(p, q int) {
	a, b := k.Wakeups[p], k.Wakeups[q]
	k.place(p, b)
	k.place(q, a)
}

func (k *KCB) rise(p int) int {
	for p > 0 {
		up := (p - 1) / 2
		if k.Wakeups[up].WakeAt <= k.Wakeups[p].WakeAt {
			break
		}
		k.swap(up, p)
		p = up
	}
	return p
}

func (k *KCB) sink(p int) {
	for {
		c := 2*p + 1
		if c >= k.NumWakeups {
			return
		}
		if c+1 < k.NumWakeups && k.Wakeups[c+1].WakeAt < k.Wakeups[c].WakeAt {
			c++
		}
		if k.Wakeups[p].WakeAt <= k.Wakeups[c].WakeAt {
			return
		}
		k.swap(p, c)
		p = c
	}
}
