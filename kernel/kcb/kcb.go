// Package kcb defines the kernel control block: everything a CPU driver keeps
// for its users, reachable from one versioned structure in memory of its own
// core, never from the Go heap. A kernel that takes over a core finds its state
// here.
//
// The parts of the CPU driver import it. It holds layouts and the smallest
// operations on them, and touches no hardware.
package kcb

import (
	"math/bits"
	"unsafe"

	"skerry/abi"
	"skerry/kernel/capability"
	"skerry/kernel/memory"
	"skerry/kernel/schedule"
	"skerry/kernel/shootdown"
)

// Magic and Version identify the layout. A kernel takes over only a KCB whose
// version it knows.
const (
	Magic   = 0x4243_4b79_7272_656b
	Version = 6
)

// MaxDispatchers is how many dispatchers a core can have at a time.
const MaxDispatchers = abi.CoreDispatchers

// KCB is a core's kernel control block.
type KCB struct {
	Magic, Version uint64

	// Machine is what the first core told this one at its start.
	Machine Machine
	// Pages is the RAM that the kernel keeps for itself.
	Pages memory.Pages
	// Memory is what is known of all memory, Interrupts how users get those of
	// devices.
	Memory     Memory
	Interrupts Interrupts
	// Root is the kernel's own address space, the model of all others here.
	Root memory.Phys

	// Capabilities is what the core keeps about capabilities beside their
	// slots.
	Capabilities capability.State

	// Dispatchers has those that are set up by number, nil where there is none;
	// used has a bit for each number in use, next is the one behind that which was given last.
	Dispatchers    [MaxDispatchers]*DCB
	used           [MaxDispatchers / 64]uint64
	next           int
	NumDispatchers int

	// Scheduler decides who runs.
	Scheduler schedule.Scheduler

	// Tidings is who is still to be told that endpoints have ended or have room.
	Tidings Tidings

	// Wakeups is a heap of dispatchers by wake-up time.
	Wakeups    [MaxDispatchers]*DCB
	NumWakeups int

	Counters Counters

	// Shootdown is what other cores may still know of page tables, Settling who
	// waits until they do not.
	Shootdown shootdown.State
	Settling  Numbers
	// Rung is who is still to be notified, because a doorbell was rung from
	// another core or because it waited for other cores.
	Rung Numbers

	// Ended says of which cores this kernel knows that theirs has ended.
	Ended [abi.MaxCores]bool

	// Events is a ring of the last events, for a panic to show.
	Events    [16]Event
	NumEvents uint64
}

// Size is the size of the object, in bytes, that a KCB lies in.
const Size = 32 * abi.PageSize

var _ [Size - unsafe.Sizeof(KCB{})]byte

// Machine is what a CPU driver is told of the machine. Addresses are physical.
type Machine struct {
	Core, APIC, Node, Cores uint32

	ArchivePhys, ArchiveSize uint64
	// LibosPhys and LibosSize are where the libos's file lies in the archive;
	// every kernel sees it, read-only, at LibosAt.
	LibosPhys, LibosSize   uint64
	KernelPhys, KernelSize uint64
	NumSegments            uint64
	Segments               [4]abi.BootSegment

	Clock  abi.Clock
	TickHz uint64 // of the interrupt controller's timer

	// Outboxes, Mailboxes and Channels are where the declared channels lie: to the
	// console, between kernels, and between monitors, all cores' in a row.
	Outboxes, Mailboxes, Channels memory.Phys

	PM1a, SleepType uint16
	CanPowerOff     bool
	ResetPort       uint16
	ResetValue      uint8

	// APICs are the interrupt controller numbers of all cores.
	APICs [256]uint32

	CommandLine       [1024]byte
	CommandLineLength uint32
}

// Where kernels map the mailboxes, and the libos's file.
const (
	MailboxesAt = abi.DeviceBase + 0x800_0000
	LibosAt     = abi.DeviceBase + 0x1000_0000
)

// Counters count since the kernel's start.
type Counters struct {
	Events, Dispatches, NativeCalls, PageFaults, Interrupts uint64
	DoorbellsIn, DoorbellsOut                               uint64
	IdleNs, BootNs                                          int64
	BootMallocs, BootCollections                            uint64
}

// Event is one entry of the ring of last events.
type Event struct {
	Ticks  uint64 // of the time-stamp counter
	Domain uint32
	Vector uint32 // trap vector, or 256 for a native call
	Detail uint64 // call number or fault address
}

// Note records an event.
func (k *KCB) Note(e Event) {
	k.Events[k.NumEvents%uint64(len(k.Events))] = e
	k.NumEvents++
}

// Enter gives a dispatcher a number that is free, under which it stays in the table until it
// leaves, and puts it under the scheduler. It reports whether there was room. Numbers come
// round: whoever still rings one that has left rings nobody for as long as may be.
func (k *KCB) Enter(d *DCB) bool {
	if d.number != 0 {
		return true
	}
	n, ok := k.free()
	if !ok {
		return false
	}
	k.used[n/64] |= 1 << (n % 64)
	k.next = (n + 1) % MaxDispatchers
	k.Dispatchers[n] = d
	k.NumDispatchers++
	d.number = n + 1
	return k.Scheduler.Enter(&d.Entry, schedule.NormalWeight)
}

// free returns the first number from next on that is free, after the last the first.
func (k *KCB) free() (n int, ok bool) {
	word, bit := k.next/64, k.next%64
	for i := range len(k.used) + 1 {
		at := (word + i) % len(k.used)
		free := ^k.used[at]
		if i == 0 {
			free &= ^uint64(0) << bit // those before it come last
		}
		if free != 0 {
			return at*64 + bits.TrailingZeros64(free), true
		}
	}
	return 0, false
}

// Leave takes a dispatcher out of the table, if it is there, out of the heap, and,
// at time now, from under the scheduler.
func (k *KCB) Leave(d *DCB, now int64) {
	k.WakeLater(d, 0)
	if d.number == 0 {
		return
	}
	k.Scheduler.Leave(&d.Entry, now)
	n := d.number - 1
	k.Dispatchers[n] = nil
	k.used[n/64] &^= 1 << (n % 64)
	k.NumDispatchers--
	d.number = 0
}

// Numbered returns the dispatcher that has a number, nil if none has.
func (k *KCB) Numbered(n uint64) *DCB {
	if n >= MaxDispatchers {
		return nil
	}
	return k.Dispatchers[n]
}

// From returns the first dispatcher, in the order of domains and then of numbers,
// that is not before a number of a domain; nil if there is none.
func (k *KCB) From(domain, number uint32) *DCB {
	var best *DCB
	for w, set := range k.used {
		for ; set != 0; set &= set - 1 {
			n := w*64 + bits.TrailingZeros64(set)
			d := k.Dispatchers[n]
			if d.Domain < domain || d.Domain == domain && uint32(n) < number {
				continue
			}
			if best == nil || d.Domain < best.Domain {
				best = d
			}
		}
	}
	return best
}
