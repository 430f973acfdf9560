package abi

// NativeCall is the bit of RAX that makes a SYSCALL a native call rather than
// a Linux call.
//
// Native calls take their number in RAX (with this bit) and arguments in RDI,
// RSI, RDX, R10, R8, R9; they return an Error in RAX and a value in RDX. RCX,
// R11 and all vector registers are clobbered; all else is preserved. A pointer
// argument must lie in memory of the caller's that is present, and writable
// where the call writes: otherwise the call has no effect and returns
// ErrFault. Calls may be made enabled or disabled unless they say otherwise.
const NativeCall = 1 << 63

// Numbers of the native calls. Right is what Info.Rights must hold.
const (
	// CallNop does nothing: () → 0.
	CallNop = iota
	// CallSetup registers upcalls: (*Entries) → 0. Until it has been called,
	// any upcall ends the domain.
	CallSetup
	// CallPark gives up the core until HasWork is set or the absolute time
	// in RDI (ns, 0: never) has come: (deadline). Disabled only. It does not
	// return: the next entry is the run upcall with RSI 0 (at once if
	// HasWork is already set or the deadline has passed).
	CallPark
	// CallWakeup asks for a run upcall at the absolute time in RDI (ns, 0:
	// never) though the dispatcher be running: (deadline) → 0. One time is
	// kept; a new one replaces it, its arrival clears it.
	// If the dispatcher is disabled when it arrives, HasWork is set instead.
	CallWakeup
	// CallMap backs [va, va+pages*PageSize) with zeroed frames charged to
	// the domain: (va, pages, prot) → pages mapped. Pages present already
	// are left alone. At most MapMax pages a call.
	CallMap
	// CallMapArchive maps pages of the boot archive: (va, pages, prot,
	// offset) → pages mapped. prot may be ProtRead or ProtRead|ProtExec,
	// offset a multiple of PageSize. At most MapMax pages a call.
	CallMapArchive
	// CallUnmap removes what is mapped in a range and frees its frames:
	// (va, pages) → pages that were present. At most UnmapMax pages a call.
	CallUnmap
	// CallProtect changes the rights of the pages present in a range:
	// (va, pages, prot) → pages changed. At most UnmapMax pages a call.
	CallProtect
	// CallExit ends the caller's domain: (kind, code). It does not return.
	// kind is ExitCode, ExitSignal or ExitMemory.
	CallExit
	// CallRandom fills a buffer of at most 256 bytes with entropy: (ptr, len) → 0.
	CallRandom
	// CallLog appends a line to the kernel's log: (ptr, len) → len. len is at
	// most 256; the kernel adds the line's end and who said it.
	CallLog
	// CallNotify notifies a dispatcher on the same core, the parent or a
	// child of the caller: (domain, 0 for the parent) → 0.
	CallNotify
	// CallNotifyCore notifies another core's monitor: (core) → 0.
	// RightMonitor.
	CallNotifyCore
	// CallSpawn creates a domain: (*Spawn) → domain. RightSpawn.
	CallSpawn
	// CallKill ends a child: (domain) → 0. RightSpawn.
	CallKill
	// CallReap takes the Status of a child that has ended: (*Status) → 0, or
	// ErrAgain when none has. RightSpawn. A child has ended when its memory
	// has been taken back and the frame it shared (Spawn.Stdio) is its
	// parent's alone again; then the parent is notified.
	CallReap
	// CallCoreInfo fills a CoreInfo for the caller's core: (*CoreInfo) → 0.
	// RightInspect.
	CallCoreInfo
	// CallDomainInfo fills a DomainInfo for the first domain on this core
	// whose number is at least RDI: (domain, *DomainInfo) → 0, or
	// ErrNotFound. RightInspect.
	CallDomainInfo
	// CallPortWrite queues bytes to a serial port of this core: (port, ptr,
	// len) → bytes taken. For PortConsole it takes all (len at most 2048) or
	// returns ErrAgain, and the console never splits what it took; for
	// PortLink it takes what fits. The caller is notified when there is room
	// again. RightConsole.
	CallPortWrite
	// CallPortRead takes bytes that came in: (port, ptr, len) → bytes, 0 if
	// none. The caller is notified when some come. RightConsole.
	CallPortRead
	// CallPower ends the machine: (action, code). It does not return.
	// RightPower.
	CallPower
	// CallCommandLine copies the boot command line: (ptr, len) → its length.
	CallCommandLine
	// CallYield lets other dispatchers of the core run: (). Disabled only;
	// it does not return: the next entry is the run upcall with RSI 0.
	CallYield
	// CallCoreState tells how the kernel of a core is: (core) → CoreAbsent….
	// RightInspect.
	CallCoreState
	// NumCalls is the number of native calls.
	NumCalls
)

// Bounds on one call.
const (
	MapMax   = 512
	UnmapMax = 8192
)

// Protection bits of CallMap, CallMapArchive and CallProtect. A mapping that
// is both writable and executable is refused with ErrRights.
const (
	ProtRead  = 1
	ProtWrite = 2
	ProtExec  = 4
)

// Rights of a domain, in Spawn.Rights: a subset of the spawner's.
const (
	RightSpawn = 1 << iota
	RightInspect
	RightConsole
	RightMonitor
	RightPower
)

// Serial ports of CallPortRead and CallPortWrite.
const (
	PortConsole = 0 // COM1: text for people
	PortLink    = 1 // COM2: frames for the host command, package link
)

// Actions of CallPower.
const (
	PowerOff = iota
	PowerReset
)

// States of a core's kernel, from CallCoreState.
const (
	CoreAbsent = iota
	CoreStarting
	CoreRunning
	CorePanicked
)

// Error is the result of a native call. Its text is in Error.String.
type Error uint32

// The errors of native calls.
const (
	OK Error = iota
	ErrCall
	ErrArgument
	ErrFault
	ErrMemory
	ErrQuota
	ErrRights
	ErrNotFound
	ErrAgain
	ErrState
	ErrTooBig
	numErrors
)

var errorText = [numErrors]string{
	OK:          "no error",
	ErrCall:     "no such native call",
	ErrArgument: "argument out of range",
	ErrFault:    "pointer to memory that is not the caller's",
	ErrMemory:   "the core has no memory left",
	ErrQuota:    "the domain's memory quota is used up",
	ErrRights:   "the domain lacks the right",
	ErrNotFound: "no such object",
	ErrAgain:    "nothing there yet",
	ErrState:    "not possible in this state",
	ErrTooBig:   "larger than one call may ask for",
}

// Error makes Error an error value.
func (e Error) Error() string { return e.String() }

// String returns the error's text.
func (e Error) String() string {
	if e < numErrors {
		return errorText[e]
	}
	return "unknown error"
}
