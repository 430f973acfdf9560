package abi

// Registers is the integer state of a user thread. Assembly in the CPU driver
// and in the libos addresses its fields through go_asm.h.
type Registers struct {
	RAX, RBX, RCX, RDX uint64
	RSI, RDI, RBP, RSP uint64
	R8, R9, R10, R11   uint64
	R12, R13, R14, R15 uint64
	RIP, RFLAGS        uint64
	FSBase             uint64
}

// Dispatcher is the first page of the dispatcher frame: the page that a CPU
// driver shares with the dispatcher's user half. The user may write all of it,
// so the CPU driver trusts nothing in it; what a field means to the kernel is
// said with the field.
//
// The frame's second page is the vector (XSAVE) area that goes with Enabled,
// its third the one that goes with Trap. Both are in XSAVE's standard format
// with the component bitmap in VectorMask, and are restored by the user.
type Dispatcher struct {
	// Self is the address of this page in the domain (DispatcherBase).
	Self uint64
	// Disabled says that the dispatcher must not be given an upcall: it is
	// inside the libos. The kernel sets it when it makes an upcall; the user
	// clears it when it resumes a thread. A dispatcher preempted while
	// Disabled, or with RIP in [CriticalLow, CriticalHigh), is resumed
	// exactly where it was; one preempted otherwise finds its registers in
	// Enabled and its vector state in the second page, and gets a run upcall.
	Disabled uint32
	// HasWork is set by the kernel with every notification; the user clears
	// it before it looks for work. Park returns at once while it is set.
	HasWork uint32
	// Notified counts the notifications (doorbells, console readiness,
	// children that ended) delivered since the start. Written by the kernel.
	Notified uint64
	// Filled is the set of its endpoints out of which something can be received: bit
	// EndpointPlace of each. Written by the kernel.
	Filled uint64
	// Now is system time at the last upcall in nanoseconds. Kernel-written.
	Now int64
	// Missed counts the deadlines that the dispatcher missed; it is notified of
	// each. Kernel-written.
	Missed uint64
	// Core and Domain say where and who this dispatcher is. Kernel-written.
	Core   uint32
	Domain uint32
	// Wanted is how many others of the core can run besides this dispatcher: who polls
	// keeps it from them. Written by the kernel, as long as the dispatcher runs; not
	// when another has handed it the core by CallMessage.
	Wanted uint32

	// LinuxReturn and LinuxFlags are RIP and RFLAGS of the thread whose
	// Linux call is being reflected (SYSCALL left them in RCX and R11). All
	// other registers, RSP among them, are still the thread's own when the
	// Linux upcall is entered. Kernel-written.
	LinuxReturn uint64
	LinuxFlags  uint64

	// FaultVector, FaultCode and FaultAddress describe the exception of a
	// page-fault or trap upcall: vector number, error code, CR2.
	FaultVector  uint64
	FaultCode    uint64
	FaultAddress uint64

	// VectorMask is the XSAVE component bitmap (XCR0) in use, VectorSize the
	// bytes an area takes. Kernel-written at start.
	VectorMask uint64
	VectorSize uint64

	// Clock turns time-stamp counter values into time. Kernel-written at
	// start; see Clock.
	Clock Clock

	// Nested says that a page fault taken while disabled is being handled:
	// set by the kernel with the NestedFault upcall, cleared by the user. A
	// second such fault while it is set ends the dispatcher. NestedCode and
	// NestedAddress describe the fault; the state is in NestedState, but for
	// the vector registers, which the upcall is entered with as they were.
	Nested        uint64
	NestedCode    uint64
	NestedAddress uint64
	NestedState   Registers

	// Scratch is the libos's own, for its entry code to reach through GS.
	Scratch [16]uint64

	// Enabled is the state of a dispatcher preempted while enabled.
	Enabled Registers
	// Trap is the state of a dispatcher that faulted while enabled.
	Trap Registers
}

// Clock converts the time-stamp counter to nanoseconds:
//
//	ns = ((tsc - Base) * Mul) >> 32    (128-bit product)
//
// Monotonic time is ns (nanoseconds since the machine's boot, the same on all
// cores); real time is ns + Real.
type Clock struct {
	Base uint64
	Mul  uint64 // 2^32 * 1e9 / frequency
	Real int64  // Unix time of boot in nanoseconds
	Hz   uint64 // frequency of the time-stamp counter
}

// Entries are the upcall entry points that a dispatcher registers once with
// CallSetup. All are addresses in the user half. On entry of every
// upcall but Linux: RDI = Dispatcher.Self, GS base = Dispatcher.Self, RSP and
// all other registers are undefined (the entry code loads its own stack),
// FS base is undefined, Disabled is 1.
type Entries struct {
	// Run: the dispatcher was preempted while enabled (state in Enabled,
	// Preempted below is 1 in RSI) or parked and is runnable again (RSI 0).
	Run uint64
	// PageFault: state in Trap, Fault* set.
	PageFault uint64
	// Trap: any other exception caused while enabled; state in Trap.
	Trap uint64
	// NestedFault: a page fault while disabled, at an address from LibosHeap
	// to LibosHeapEnd (any other ends the dispatcher); state in NestedState,
	// vector registers as they were. The user goes on by itself.
	NestedFault uint64
	// Linux: a SYSCALL with bit 63 of RAX clear; see LinuxReturn.
	Linux uint64
	// CriticalLow and CriticalHigh bound the resume path, in which Disabled
	// may already be clear though the thread's registers are not yet loaded;
	// equal if there is no such path.
	CriticalLow, CriticalHigh uint64
	// ProbeLow and ProbeHigh bound code in which a disabled dispatcher tries
	// whether it can access an address: a page fault there makes it go on at
	// ProbeFail, with all other registers as they were. Equal if there is none.
	ProbeLow, ProbeHigh, ProbeFail uint64
}
