package main

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/vspace"
)

// linuxUpcall serves the Linux call of the current thread.
func linuxUpcall() {
	if nested {
		nested = false
		vspace.Replenish()
	}
	th := at[carrier.Thread](dispatcher().Scratch[scratchCurrent])
	number := th.Regs.RAX
	result := int64(-linux.ENOSYS)
	switch {
	case number < linux.NumCalls && calls[number] != nil:
		result = calls[number](th)
	case number-abi.LibosCall < uint64(len(libosCalls)):
		result = libosCalls[number-abi.LibosCall](th)
	default:
		countUnknown(number)
	}
	if result < -linux.MaxErrno && result <= restored {
		if result == switched {
			schedule()
			return
		}
		prepare(th)
	} else {
		th.Regs.RAX = uint64(result)
	}
	if signals.Deliverable(th) {
		deliver(th)
	}
	if threads.HasReady() {
		if threads.Preempts() {
			preempt()
		} else if clocks.turnEnds == 0 {
			arm()
		}
	}
}

// runUpcall goes on after a preemption, or after the dispatcher was parked.
func runUpcall(preempted uint64) {
	if spanned.on {
		spanned.frame.Enter()
	}
	vspace.Replenish()
	d := dispatcher()
	if clocks.parkedAt != 0 {
		clocks.idle += now() - clocks.parkedAt
		clocks.parkedAt = 0
		if spanned.on {
			spanned.frame.SetClock(clocks.started, clocks.idle, 0)
		}
	}
	if preempted != 0 {
		unwind(&d.Enabled)
		d.Scratch[scratchFull], d.Scratch[scratchVector] = enabledRegisters, enabledVector
	}
	poll()
	if threads.Current() == nil {
		schedule()
	}
}

// poll looks for what a notification or a passed deadline may mean. What it
// wakes runs before the current thread goes on.
func poll() {
	if spanned.on {
		spanPoll()
		return
	}
	d := dispatcher()
	d.HasWork = 0
	t := now()
	if clocks.armed != 0 && t >= clocks.armed {
		clocks.armed = 0
	}
	pollSupply()
	woken := threads.Expire(t) + pollFiles()
	expireTimers(t)
	turn := clocks.turnEnds != 0 && t >= clocks.turnEnds
	if turn {
		clocks.turnEnds = 0
	}
	th := threads.Current()
	if th == nil {
		return
	}
	if signals.Deliverable(th) {
		settle(th)
		prepare(th)
		deliver(th)
		th = threads.Current()
	}
	if th != nil && threads.HasReady() && threads.Preempts() {
		settle(th)
		preempt()
		return
	}
	if th != nil && (turn || woken > 0 && th.Level() == 0) && threads.HasReady() {
		settle(th)
		// Woken threads are ahead of it in the queue, whoever waited before
		// them too.
		threads.Yield()
		schedule()
		return
	}
	arm()
}

// unwind puts right the state of a thread that was interrupted inside leave:
// what leave was to load is still in its frame.
func unwind(r *abi.Registers) {
	low, high := leaveRange()
	if r.RIP >= low && r.RIP < high {
		frame := &dispatcher().Scratch
		r.RIP, r.RFLAGS, r.RSP = frame[scratchRIP], frame[scratchFlags], frame[scratchRSP]
	}
}

// Bits of a page fault's error code.
const (
	faultPresent = 1 << 0
	faultWrite   = 1 << 1
	faultFetch   = 1 << 4
)

// pageFaultUpcall is the upcall for a page fault of the current thread.
func pageFaultUpcall() {
	if spanned.on {
		spanned.frame.Enter()
		servePageFault()
		spanLeave()
		return
	}
	servePageFault()
}

// servePageFault brings in the page that the current thread wants, or sends it
// SIGSEGV.
func servePageFault() {
	vspace.Replenish()
	d := dispatcher()
	d.Scratch[scratchFull], d.Scratch[scratchVector] = trapRegisters, trapVector
	pageFaults++
	address, code := d.FaultAddress, d.FaultCode
	want := uint32(linux.PROT_READ)
	if code&faultWrite != 0 {
		want = linux.PROT_WRITE
	} else if code&faultFetch != 0 {
		want = linux.PROT_EXEC
	}
	if spanned.satellite {
		remoteFault(address, want)
		return
	}
	siginfoCode := access(address, want)
	if siginfoCode == 0 {
		return
	}
	if code&faultPresent != 0 {
		// The page is there. It may even allow all that the program does, but not
		// what the processor does by itself: a load of a segment, QEMU 7.2's IRET.
		siginfoCode = linux.SEGV_ACCERR
	}
	fault(linux.SIGSEGV, siginfoCode, address)
}

// nested says that a nested fault has taken of the reserve lately.
var nested bool

// nestedFaultUpcall backs a page of the libos's own heap, which the libos has
// touched for the first time.
func nestedFaultUpcall() {
	nested = true
	if !vspace.NestedFault(dispatcher().NestedAddress) {
		outOfMemory(capability.ErrMemory)
	}
}

// trapUpcall is the upcall for any other exception of the current thread.
func trapUpcall() {
	if spanned.on {
		spanned.frame.Enter()
		serveTrap()
		spanLeave()
		return
	}
	serveTrap()
}

// serveTrap turns an exception into its signal.
func serveTrap() {
	vspace.Replenish()
	d := dispatcher()
	unwind(&d.Trap)
	d.Scratch[scratchFull], d.Scratch[scratchVector] = trapRegisters, trapVector
	at := d.Trap.RIP
	switch d.FaultVector {
	case 0: // divide error
		fault(linux.SIGFPE, linux.FPE_INTDIV, at)
	case 1: // debug
		fault(linux.SIGTRAP, linux.TRAP_TRACE, at)
	case 3: // breakpoint
		fault(linux.SIGTRAP, linux.SI_KERNEL, 0)
	case 6: // invalid opcode
		fault(linux.SIGILL, linux.ILL_ILLOPN, at)
	case 11, 12: // segment not present, stack fault
		fault(linux.SIGBUS, linux.SI_KERNEL, 0)
	case 16, 19: // x87 and SIMD floating point
		fault(linux.SIGFPE, linux.FPE_FLTINV, at)
	case 17: // alignment
		fault(linux.SIGBUS, linux.BUS_ADRALN, 0)
	default: // overflow, bounds, general protection and whatever is left
		fault(linux.SIGSEGV, linux.SI_KERNEL, 0)
	}
}
