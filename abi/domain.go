package abi

// Info is what a domain is told at its start: a header at InfoBase followed by
// NUL-terminated strings (each at an offset from InfoBase). The spawner writes
// it; the kernel copies it unread.
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
}

// InfoMagic marks an Info.
const InfoMagic = 0x6f666e4979726b53 // "SkryInfo"

// Flags of an Info.
const (
	// InfoTrace makes the libos count and name unknown Linux calls at exit.
	InfoTrace = 1 << iota
	// InfoLog makes stdout and stderr go to the kernel's log, a line at a time,
	// by CallLog. Stdin is at its end, and no frame is mapped at StdioBase. It is
	// how the monitor itself is started.
	InfoLog
)

// Spawn is the argument of CallSpawn.
type Spawn struct {
	Name   [32]byte // for people; NUL-padded
	Info   uint64   // address of the Info in the caller, page-aligned
	InfoSz uint64   // its bytes, at most InfoMax
	// Stdio is the address, page-aligned, of StdioSize bytes of the caller's
	// memory that the new domain will share at StdioBase.
	Stdio  uint64
	Quota  uint64 // bytes of memory the domain may hold
	Rights uint64
}

// How a domain ended.
const (
	ExitNone   = iota
	ExitCode   // exit_group: Code is the exit code
	ExitSignal // a signal whose default action ends the program: Code is its number
	ExitFault  // the libos faulted or broke a rule while disabled: Fault* and Trace say where
	ExitKilled // killed by its spawner
	ExitMemory // quota or core memory ran out: Code is an Error
)

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
	Trace     [12]uint64
	PeakPages uint64
	CPU       int64 // ns the domain ran
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
	TotalPages              uint64 // pages of RAM the core owns
	FreePages               uint64
	KernelPages             uint64 // of these, held by the kernel itself
	DomainPages             uint64 // of these, charged to domains
	Domains                 uint64
	// BootMallocs and BootCollections are what the two counters above said
	// when the kernel was ready to serve: a kernel that serves does neither.
	BootMallocs     uint64
	BootCollections uint64
	Version         [16]byte
	Go              [16]byte // version of Go the kernel was built with
}

// DomainInfo describes a domain.
type DomainInfo struct {
	Domain, Parent uint32
	Name           [32]byte
	State          uint32 // DomainReady…
	Rights         uint32
	Pages          uint64
	PeakPages      uint64
	Quota          uint64 // bytes
	CPU            int64  // ns
	Dispatches     uint64
	Upcalls        uint64
	PageFaults     uint64
}

// States of a domain.
const (
	DomainReady = iota
	DomainParked
	DomainEnded
)
