package abi

import "skerry/abi/capability"

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

// Numbers of the native calls. All but CallInvoke are about the caller's own
// dispatcher and need no other authority than to be it.
const (
	// CallNop does nothing: () → 0.
	CallNop = iota
	// CallInvoke asks something of a capability: (capability.Word(reference,
	// invocation), up to five words) → what the invocation returns. See
	// docs/capabilities.md.
	CallInvoke
	// CallSetup registers upcalls: (*Entries) → 0. Until it has been called,
	// any upcall ends the dispatcher.
	CallSetup
	// CallPark gives up the core until HasWork is set or the absolute time
	// in RDI (ns, 0: never) has come: (deadline). Disabled only. It does not
	// return: the next entry is the run upcall with RSI 0 (at once if
	// HasWork is already set or the deadline has passed).
	CallPark
	// CallWait is CallPark for code that goes on where it is: (deadline) → 0
	// once HasWork is set or the deadline has passed. Disabled only.
	CallWait
	// CallWakeup asks for a run upcall at the absolute time in RDI (ns, 0:
	// never) though the dispatcher be running: (deadline) → 0. One time is
	// kept; a new one replaces it, its arrival clears it.
	// If the dispatcher is disabled when it arrives, HasWork is set instead.
	CallWakeup
	// CallYield lets other dispatchers of the core run: (to). Disabled only; it does
	// not return: the next entry is the run upcall with RSI 0. If to is not 0, a
	// reference to an Endpoint or a Doorbell with right Send, what is left of the
	// caller's turn goes to the dispatcher behind it, until that waits or yields, or
	// the caller's doorbell is rung; if it cannot run nobody gets anything. It returns
	// the error if the reference is not good.
	CallYield
	// CallExit ends the caller: (kind, code). It does not return.
	// kind is ExitCode, ExitSignal or ExitMemory.
	CallExit
	// CallRandom fills a buffer of at most 256 bytes with entropy: (ptr, len) → 0.
	CallRandom
	// CallMessage sends a message, waits for one, or does one after the other:
	// (to, from, message, deadline) → the message received; all in registers, as
	// said at MessageWords.
	CallMessage
	// CallSettle asks whether other cores have forgotten all translations that
	// this core has taken away from address spaces they share: () → 0.
	// ErrPending says that they have not; the caller is notified when they have.
	CallSettle
	// NumCalls is the number of native calls.
	NumCalls
)

// Protection bits of a mapping. One that is both writable and executable is
// refused with ErrRights.
const (
	ProtRead  = 1
	ProtWrite = 2
	ProtExec  = 4
)

// Serial ports of the invocations PortRead and PortWrite.
const (
	PortConsole = 0 // COM1: text for people
	PortLink    = 1 // COM2: frames for the host command, package link
)

// Actions of the invocation Power.
const (
	PowerOff = iota
	PowerReset
)

// States of a core's kernel, from the invocation State of a Kernel.
const (
	CoreAbsent = iota
	CoreStarting
	CoreRunning
	CorePanicked
)

// Error is the result of a native call.
type Error = capability.Error

// The errors that calls on the caller's own dispatcher return; package
// capability has them all.
const (
	OK          = capability.OK
	ErrCall     = capability.ErrCall
	ErrArgument = capability.ErrArgument
	ErrFault    = capability.ErrFault
	ErrTooBig   = capability.ErrTooBig
	ErrState    = capability.ErrState

	// Those of CallMessage besides.
	ErrFull        = capability.ErrFull
	ErrNoSlot      = capability.ErrNoSlot
	ErrPeer        = capability.ErrPeer
	ErrAgain       = capability.ErrAgain
	ErrTimeout     = capability.ErrTimeout
	ErrInterrupted = capability.ErrInterrupted
)
