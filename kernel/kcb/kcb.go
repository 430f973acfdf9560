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
	"skerry/kernel/memory"
)

// Magic and Version identify the layout. A kernel takes over only a KCB whose
// version it knows.
const (
	Magic   = 0x4243_4b79_7272_656b
	Version = 1
)

// MaxDomains is how many domains a core can hold at a time.
const MaxDomains = 512

// KCB is a core's kernel control block.
type KCB struct {
	Magic, Version uint64

	// Machine is what the first core told this one at its start.
	Machine Machine
	// Pages is the RAM the core owns.
	Pages memory.Pages
	// Memory is what there is besides, Interrupts how users get them.
	Memory     Memory
	Interrupts Interrupts
	// Root is the kernel's own address space, the model of all others here.
	Root memory.Phys

	// Domains holds the address of each domain's DCB by number modulo
	// MaxDomains, 0 where there is none; Generation makes numbers new.
	Domains    [MaxDomains]uintptr
	Generation uint32
	NumDomains uint32

	// Ready and Reclaim are queues of DCBs: those that can run, and those
	// that have ended and whose memory is being taken back.
	Ready, Reclaim Queue

	// Wakeups is a heap of dispatchers by wake-up time.
	Wakeups    [MaxDomains]*DCB
	NumWakeups int

	Counters Counters

	// Ended says of which cores this kernel knows that theirs has ended.
	Ended [abi.MaxCores]bool

	// Events is a ring of the last events, for a panic to show.
	Events    [16]Event
	NumEvents uint64
}

// Size is the KCB's size in whole pages, in bytes.
const Size = (unsafe.Sizeof(KCB{}) + abi.PageSize - 1) &^ (abi.PageSize - 1)

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
	KernelPages                                             uint64
	BootMallocs, BootCollections                            uint64
}

// Event is one entry of the ring of last events.
type Event struct {
	Ns     int64
	Domain uint32
	Vector uint32 // trap vector, or 256 for a native call
	Detail uint64 // call number or fault address
}

// Note records an event.
func (k *KCB) Note(e Event) {
	k.Events[k.NumEvents%uint64(len(k.Events))] = e
	k.NumEvents++
}

// Find returns the DCB of a domain, nil if there is none with that number.
func (k *KCB) Find(domain uint32) *DCB {
	d := (*DCB)(unsafe.Pointer(k.Domains[domain%MaxDomains]))
	if d == nil || d.ID != domain {
		return nil
	}
	return d
}

// NextAfter returns the DCB with the lowest number that is at least domain, or
// nil.
func (k *KCB) NextAfter(domain uint32) *DCB {
	var best *DCB
	for _, a := range k.Domains {
		d := (*DCB)(unsafe.Pointer(a))
		if d != nil && d.ID >= domain && (best == nil || d.ID < best.ID) {
			best = d
		}
	}
	return best
}

// Enter gives a new DCB a number and a place in the table. It reports whether
// there was one.
func (k *KCB) Enter(d *DCB) bool {
	for range MaxDomains {
		k.Generation++
		if k.Generation == 0 {
			k.Generation = 1
		}
		if k.Domains[k.Generation%MaxDomains] == 0 {
			d.ID = k.Generation
			k.Domains[d.ID%MaxDomains] = uintptr(unsafe.Pointer(d))
			k.NumDomains++
			return true
		}
	}
	return false
}

// Leave removes a DCB from the table.
func (k *KCB) Leave(d *DCB) {
	k.Domains[d.ID%MaxDomains] = 0
	k.NumDomains--
}
