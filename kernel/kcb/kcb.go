// Package kcb defines the kernel control block: everything a CPU driver keeps
// for its users, reachable from one versioned structure in memory of its own
// core, never from the Go heap. A kernel that takes over a core finds its state
// here.
//
// The parts of the CPU driver import it. It holds layouts and the smallest
// operations on them, and touches no hardware.
package kcb

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/capability"
	"skerry/kernel/memory"
)

// Magic and Version identify the layout. A kernel takes over only a KCB whose
// version it knows.
const (
	Magic   = 0x4243_4b79_7272_656b
	Version = 2
)

// MaxDispatchers is how many dispatchers a core can have at a time.
const MaxDispatchers = 512

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

	// Dispatchers lists those that are set up, in no order.
	Dispatchers    [MaxDispatchers]*DCB
	NumDispatchers int

	// Ready is the queue of dispatchers that can run.
	Ready Queue

	// Wakeups is a heap of dispatchers by wake-up time.
	Wakeups    [MaxDispatchers]*DCB
	NumWakeups int

	Counters Counters

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

	// Outboxes and Channels are where the declared channels between kernels
	// and between monitors lie, all cores' in a row.
	Outboxes, Channels memory.Phys

	PM1a, SleepType uint16
	CanPowerOff     bool
	ResetPort       uint16
	ResetValue      uint8

	// APICs are the interrupt controller numbers of all cores.
	APICs [256]uint32

	CommandLine       [1024]byte
	CommandLineLength uint32
}

// LibosAt is where kernels map the libos's file.
const LibosAt = abi.DeviceBase + 0x1000_0000

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

// Enter puts a dispatcher into the table. It reports whether there was room.
func (k *KCB) Enter(d *DCB) bool {
	if d.number != 0 {
		return true
	}
	if k.NumDispatchers == MaxDispatchers {
		return false
	}
	k.Dispatchers[k.NumDispatchers] = d
	k.NumDispatchers++
	d.number = k.NumDispatchers
	return true
}

// Leave takes a dispatcher out of the table, if it is there, and out of the
// queue and the heap.
func (k *KCB) Leave(d *DCB) {
	k.Ready.Remove(d)
	k.WakeLater(d, 0)
	if d.number == 0 {
		return
	}
	k.NumDispatchers--
	last := k.Dispatchers[k.NumDispatchers]
	k.Dispatchers[d.number-1], last.number = last, d.number
	k.Dispatchers[k.NumDispatchers] = nil
	d.number = 0
}

// From returns a dispatcher of the domain with the lowest number that is at
// least domain, or nil.
func (k *KCB) From(domain uint64) *DCB {
	var best *DCB
	for _, d := range k.Dispatchers[:k.NumDispatchers] {
		if uint64(d.Domain) >= domain && (best == nil || d.Domain < best.Domain) {
			best = d
		}
	}
	return best
}
