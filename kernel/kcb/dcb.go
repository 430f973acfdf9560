package kcb

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/memory"
	"skerry/kernel/schedule"
)

// DCB is a dispatcher control block: what a CPU driver keeps of a dispatcher,
// out of the user's reach. It lies at the start of an object of type
// Dispatcher, whose memory is cleared when it is made: an all-zero DCB is that
// of a dispatcher that has not been set up.
type DCB struct {
	// Regs is the dispatcher's state while it does not run, or the arguments
	// and results of its native call.
	Regs abi.Registers

	State  uint32 // abi.DomainNew…
	Resume uint32 // Resume…
	Domain uint32
	Name   [32]byte
	// Root is the top table of its address space, 0 until it is set up.
	Root memory.Phys
	// Entries are its upcalls; all 0 until it has registered them.
	Entries abi.Entries

	// Entry is what the scheduler keeps of it. It follows State: the driver sees to
	// that before it picks. Behind says that it may have to.
	Entry  schedule.Entry
	Behind bool

	// WakeAt is when it is to be woken, 0 for never; wakePosition is its place in
	// the heap plus one. Alarm is what it has asked for by abi.CallWakeup, 0 for
	// nothing: while it waits with a deadline of its own, WakeAt is the earlier.
	WakeAt, Alarm int64
	wakePosition  int

	// Awaits is the endpoint for a message of which it waits, AwaitsAny for all
	// it has, 0 if it does not wait in abi.CallMessage.
	Awaits memory.Phys
	// Messages is the rest of what it has of messages.
	Messages Messages

	CPU    int64 // ns that it ran
	Counts abi.DispatcherCounts

	// Settle is the generation of translations that it waits for in
	// abi.CallSettle, 0 if it does not.
	Settle uint64

	// Quiet is for how long, in ns, it has run without progress since it was first
	// seen disabled: QuietSince is when it was last let run after a look that found it
	// so, or 0, QuietSeen what the driver made of Counts at that look.
	Quiet, QuietSince int64
	QuietSeen         uint64

	// Status says how it ended, once State is abi.DomainEnded.
	Status abi.Status

	number int // its place in KCB.Dispatchers plus one
}

// AwaitsAny is in Awaits of a dispatcher that waits for messages of all its
// endpoints.
const AwaitsAny = 1

// Of returns the DCB that an entry is part of.
func Of(e *schedule.Entry) *DCB {
	return (*DCB)(unsafe.Pointer(uintptr(unsafe.Pointer(e)) - unsafe.Offsetof(DCB{}.Entry)))
}

// Number returns by which number the core knows it, and whether it is set up.
func (d *DCB) Number() (number uint64, ok bool) { return uint64(d.number - 1), d.number != 0 }

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

// What lies where in an object of type Dispatcher, by offset. The DCB is at its
// start.
const (
	// slotsAt is where the slots are, SlotCSpace and so on their numbers; slot
	// 0 is the capability system's own.
	slotsAt = abi.PageSize - numSlots*capability.SlotSize
	// vectorAt is the vector save area that goes with Regs.
	vectorAt = abi.PageSize
	// SharedAt is the dispatcher frame, abi.DispatcherSize bytes: an
	// abi.Dispatcher and the vector areas of its Enabled and Trap.
	SharedAt = 2 * abi.PageSize
)

// The slots of a dispatcher. SlotSpare is used for the time of an invocation.
const (
	SlotCSpace = 1 + iota
	SlotVSpace
	SlotDomain
	SlotSupervisor
	SlotSpare
	numSlots = 16
)

// ObjectSize is the size and alignment of an object of type Dispatcher.
const ObjectSize = abi.DispatcherObject

var _ [slotsAt - unsafe.Sizeof(DCB{})]byte

func (d *DCB) address() uintptr { return uintptr(unsafe.Pointer(d)) }

// Slot returns the physical address of one of the dispatcher's slots; offset is
// what is added to one to reach memory.
func (d *DCB) Slot(n, offset uintptr) memory.Phys {
	return memory.Phys(d.address() - offset + slotsAt + n*capability.SlotSize)
}

// Vector returns the address of the vector save area that goes with Regs.
func (d *DCB) Vector() uintptr { return d.address() + vectorAt }

// Page returns the page that the kernel shares with the dispatcher's user.
// Whatever is read from it may have been written by the user.
func (d *DCB) Page() *abi.Dispatcher {
	return (*abi.Dispatcher)(unsafe.Pointer(d.address() + SharedAt))
}

// SharedVector returns the address of a vector area of the dispatcher frame: 1
// goes with Page().Enabled, 2 with Page().Trap.
func (d *DCB) SharedVector(n uintptr) uintptr {
	return d.address() + SharedAt + n*abi.VectorAreaSize
}

// WakeLater sets the time at which d is to be woken; 0 is never.
func (k *KCB) WakeLater(d *DCB, at int64) {
	if d.wakePosition > 0 {
		p := d.wakePosition - 1
		k.NumWakeups--
		last := k.Wakeups[k.NumWakeups]
		k.Wakeups[k.NumWakeups] = nil
		d.wakePosition = 0
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
	d.wakePosition = p + 1
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
