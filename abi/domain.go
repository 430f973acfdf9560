package abi

// Info is what a domain is told at its start: a header at InfoBase followed by
// NUL-terminated strings (each at an offset from InfoBase). The spawner writes
// it; the kernel never reads it.
type Info struct {
	Magic   uint64 // InfoMagic
	Size    uint32 // bytes of header and strings
	Flags   uint32 // InfoTrace…
	Program uint32 // offset of the program's path in the boot archive
	Cwd     uint32 // offset of the working directory
	Args    uint32 // offset of argv[0]; the others follow
	NumArgs uint32
	Env     uint32 // offset of envp[0]; the others follow
	NumEnv  uint32
	// Dispatchers is how many the domain has, one on each of its cores; 0 counts
	// as 1. Dispatcher is which of them this Info is for: the program starts in
	// dispatcher 0, at home; the others serve its threads. If there are several,
	// the frame at SpanBase is mapped in all, and Peers are as package capability
	// says.
	Dispatchers, Dispatcher uint32
}

// InfoMagic marks an Info.
const InfoMagic = 0x6f666e4979726b53 // "SkryInfo"

// Flags of an Info.
const (
	// InfoTrace makes the libos count and name unknown Linux calls at exit.
	InfoTrace = 1 << iota
	// InfoLog makes stdout and stderr go to the kernel's log, a line at a time,
	// by the Kernel capability in capability.SlotLog. Stdin is at its end, and no frame is mapped at StdioBase. It is
	// how the monitor itself is started.
	InfoLog
	// InfoReplicated makes dispatchers keep page tables of their own for the
	// program's part of the address space, instead of sharing those of home.
	InfoReplicated
)

// How a domain ended.
const (
	ExitNone   = iota
	ExitCode   // exit_group: Code is the exit code
	ExitSignal // a signal whose default action ends the program: Code is its number
	ExitFault  // the libos faulted or broke a rule while disabled: Fault* and Trace say where
	ExitKilled // killed by its spawner
	ExitMemory // quota or core memory ran out: Code is an Error
	ExitStuck  // the libos stayed disabled for longer than DisabledMost: Fault* and Trace say where
)

// DisabledMost is how long, in ns of its processor time, a dispatcher may stay
// disabled without entering the kernel or serving a Linux call.
const DisabledMost = 1_000_000_000

// Status says how a domain ended.
type Status struct {
	Domain       uint32
	Kind         uint32
	Code         uint64
	FaultVector  uint64
	FaultCode    uint64
	FaultAddress uint64
	FaultRIP     uint64
	// Trace holds return addresses found on the faulting stack, innermost
	// first, for the host to name.
	Trace [12]uint64
	CPU   int64 // ns the domain ran
}

// CoreInfo describes a core and its CPU driver.
type CoreInfo struct {
	Core, APIC, Node, Cores uint32
	BootNs                  int64  // system time at which the kernel was ready
	NowNs                   int64  // system time of this call
	IdleNs                  int64  // time spent halted
	ImageBytes              uint64 // kernel image: text, data, bss
	HeapBytes               uint64 // memory the kernel's Go heap holds
	Mallocs                 uint64 // heap allocations since the kernel's start
	Collections             uint64 // garbage collections since the kernel's start
	Events                  uint64 // events handled by the dispatch loop
	Dispatches              uint64
	NativeCalls             uint64
	PageFaults              uint64
	Interrupts              uint64
	DoorbellsIn             uint64 // notifications from other cores
	DoorbellsOut            uint64
	LogLines                uint64
	// RAM that the core was given at boot and has not lent, or has borrowed:
	// TotalPages. Of these the kernel has KernelPages: its image, heap, tables
	// and KCB, and KernelSpare of these are pages that it keeps for its heap;
	// all others are named by capabilities.
	TotalPages, KernelPages, KernelSpare uint64
	// Core 0 besides: pages of RAM of the machine that the firmware reported,
	// and those of them that belong to no core: firmware's, the boot archive,
	// the channels between kernels and between monitors.
	MachinePages, SharedPages uint64
	Dispatchers               uint64
	// Capabilities is how many there are, Pending whether deletions,
	// revocations or clearing of memory go on.
	Capabilities, Pending uint64
	// LongestEvent is the longest time, in ticks of the time-stamp counter,
	// for which the kernel has kept interrupts off since it was ready.
	LongestEvent uint64
	// BootMallocs and BootCollections are what the two counters above said
	// when the kernel was ready to serve: a kernel that serves does neither.
	BootMallocs     uint64
	BootCollections uint64
	Version         [16]byte
	Go              [16]byte // version of Go the kernel was built with
}

// DomainInfo describes a domain by its dispatcher on a core. Whether that is one of
// several, and where the others are, the core's monitor knows, not its kernel.
type DomainInfo struct {
	Domain uint32
	Number uint32 // of the dispatcher on its core
	Name   [32]byte
	State  uint32 // DomainNew…
	// Disabled says whether it was disabled when last stopped.
	Disabled bool
	_        [3]byte
	CPU      int64 // ns that it ran
	// How it is scheduled: its weight among those without a reservation, and the
	// reservation in ns; all 0 if it has none.
	Weight                   uint64
	Period, Budget, Deadline int64
	Counts                   DispatcherCounts
}

// DispatcherCounts count what happened to a dispatcher since it was made.
type DispatcherCounts struct {
	Dispatches   uint64 // how often it got the core
	Preemptions  uint64 // how often it lost it for another while it could run
	Runs         uint64 // upcalls, by kind
	PageFaults   uint64
	NestedFaults uint64
	Traps        uint64
	LinuxCalls   uint64
	NativeCalls  uint64
	Notified     uint64 // notifications
	Sent         uint64 // messages
	Received     uint64
	Missed       uint64 // deadlines of its reservation
	Throttled    uint64 // jobs whose budget was used up
}

// States of a dispatcher.
const (
	// DomainNew has not been run yet, or was stopped.
	DomainNew = iota
	DomainReady
	DomainParked
	DomainEnded
)
