package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// deliver delivers what signals there are to the current thread, whose state
// is in its carrier.Thread and which is prepared to run.
func deliver(th *carrier.Thread) {
	refreshActions()
	var info linux.Siginfo
	for {
		signal := signals.Take(th, &info)
		if signal == 0 {
			return
		}
		switch signals.Disposition(signal) {
		case carrier.Terminate:
			exitBySignal(signal)
		case carrier.Handle:
			if !enterHandler(th, signal, &info, carrier.Fault{}) {
				th.Pending |= carrier.SignalBit(signal)
				return
			}
		}
	}
}

// enterHandler makes the current thread go on in its handler for a signal. A
// thread without room for the frame is ended with SIGSEGV, and all others too. It
// returns false if the thread is no longer current, as it must wait for memory; it
// is to be called again then.
func enterHandler(th *carrier.Thread, signal int, info *linux.Siginfo, fault carrier.Fault) bool {
	var vector carrier.VectorState
	if th.Resume == carrier.ResumeVector {
		vector = vectorState(th)
	}
	if spanned.satellite {
		return enterRemotely(th, signal, info, fault, vector)
	}
	frame, _, end := signals.Place(th, signal, vector)
	if frame > end || !writable(frame, end-frame) {
		exitBySignal(linux.SIGSEGV)
	}
	signals.Enter(th, signal, info, fault, vector)
	prepare(th)
	return true
}

// fault sends the current thread the signal of an exception, at once: one that
// is blocked or ignored ends the program.
func fault(signal int, code int32, address uint64) {
	d := dispatcher()
	th := threads.Current()
	settle(th)
	if spanned.satellite {
		p := passengerAt(slotOf(th))
		p.signal, p.code = int32(signal), code
		p.fault = carrier.Fault{Vector: d.FaultVector, Code: d.FaultCode, Address: d.FaultAddress}
		prepare(th)
		raise(th, p)
		return
	}
	if th.Mask&carrier.SignalBit(signal) != 0 || signals.Disposition(signal) != carrier.Handle {
		reportFault(signal, th, address)
		exitBySignal(signal)
	}
	info := linux.Siginfo{Signo: int32(signal), Code: code, Word0: address}
	enterHandler(th, signal, &info, carrier.Fault{Vector: d.FaultVector, Code: d.FaultCode, Address: d.FaultAddress})
}

// send sends a signal to a thread, or to the program if th is nil, and wakes
// somebody to take it.
func send(th *carrier.Thread, signal int, code int32) {
	signals.Send(th, signal, code, uint64(processID()))
	if th != nil {
		if signals.Deliverable(th) {
			threads.Interrupt(th)
		}
		return
	}
	if current := threads.Current(); current != nil && takes(current) {
		return
	}
	for i := range carrier.Index(threads.Used()) {
		if th := threads.At(i); th.State() != carrier.Free && takes(th) {
			threads.Interrupt(th)
			return
		}
	}
	if spanned.on {
		sendElsewhere(signal)
	}
}

// takes says whether a thread would take a signal that is pending for the program,
// or for it. One that is at home for a call only is gone before it could.
func takes(th *carrier.Thread) bool {
	return signals.Deliverable(th) && !(spanned.on && passengerAt(slotOf(th)).back != 0)
}

// sendElsewhere sends a signal that is pending for the program, and that no thread
// of home's own can take, to the first that is another's.
func sendElsewhere(signal int) {
	f := &spanned.frame
	bit := carrier.SignalBit(signal)
	for slot := 0; slot < maxThreads && signals.Pending&bit != 0; slot++ {
		if f.Has(slot) && (f.Location(slot) != f.Self() || passengerAt(slot).back != 0) {
			signals.Pending &^= bit
			f.Signal(slot, bit, false)
		}
	}
}

func callSigaction(th *carrier.Thread) int64 {
	r := &th.Regs
	signal := int(int32(r.RDI))
	if r.R10 != 8 || signal < 1 || signal >= linux.NSIG {
		return -linux.EINVAL
	}
	const size = uint64(unsafe.Sizeof(linux.Sigaction{}))
	old := signals.Action(signal)
	if r.RSI != 0 {
		if !readable(r.RSI, size) {
			return -linux.EFAULT
		}
		if errno := signals.SetAction(signal, at[linux.Sigaction](r.RSI)); errno != 0 {
			return -errno
		}
	}
	if r.RDX != 0 {
		if !writable(r.RDX, size) {
			return -linux.EFAULT
		}
		*at[linux.Sigaction](r.RDX) = old
	}
	return 0
}

func callSigprocmask(th *carrier.Thread) int64 {
	r := &th.Regs
	if r.R10 != 8 {
		return -linux.EINVAL
	}
	old, set := th.Mask, uint64(0)
	if r.RSI != 0 {
		if errno := fetch(addressOf(&set), r.RSI, 8); errno != 0 {
			return errno
		}
		if r.RDI > linux.SIG_SETMASK {
			return -linux.EINVAL
		}
	}
	if r.RDX != 0 {
		if errno := put(r.RDX, addressOf(&old), 8); errno != 0 {
			return errno
		}
	}
	if r.RSI != 0 {
		switch r.RDI {
		case linux.SIG_BLOCK:
			set |= old
		case linux.SIG_UNBLOCK:
			set = old &^ set
		}
		th.SetMask(set)
	}
	return 0
}

func callSigpending(th *carrier.Thread) int64 {
	if th.Regs.RSI != 8 {
		return -linux.EINVAL
	}
	if !writable(th.Regs.RDI, 8) {
		return -linux.EFAULT
	}
	*at[uint64](th.Regs.RDI) = (th.Pending | signals.Pending) & th.Mask
	return 0
}

func callSigaltstack(th *carrier.Thread) int64 {
	r := &th.Regs
	const size = uint64(unsafe.Sizeof(linux.SignalStack{}))
	old, s := th.AltStack, linux.SignalStack{}
	on := old.Size != 0 && r.RSP > old.Base && r.RSP-old.Base <= old.Size
	if on {
		old.Flags |= linux.SS_ONSTACK
	}
	if r.RDI != 0 {
		if errno := fetch(addressOf(&s), r.RDI, size); errno != 0 {
			return errno
		}
		if on {
			return -linux.EPERM
		}
	}
	if r.RSI != 0 {
		if errno := put(r.RSI, addressOf(&old), size); errno != 0 {
			return errno
		}
	}
	if r.RDI != 0 {
		switch {
		case s.Flags&linux.SS_DISABLE != 0:
			th.AltStack = linux.SignalStack{Flags: linux.SS_DISABLE}
		case s.Flags&^(linux.SS_ONSTACK|linux.SS_AUTODISARM) != 0:
			return -linux.EINVAL
		case s.Size < linux.MINSIGSTKSZ:
			return -linux.ENOMEM
		default:
			th.AltStack = linux.SignalStack{Base: s.Base, Size: s.Size}
		}
	}
	return 0
}

func callSigreturn(th *carrier.Thread) int64 {
	frame := carrier.FrameOf(th)
	if !readable(frame, uint64(unsafe.Sizeof(linux.SignalFrame{}))) {
		exitBySignal(linux.SIGSEGV)
	}
	vector := vectorState(th)
	state := carrier.VectorOf(th)
	if state != 0 && !readable(state, vector.Size) {
		exitBySignal(linux.SIGSEGV)
	}
	carrier.Leave(th, state, vector)
	if th.Regs.RIP >= abi.UserTop {
		exitBySignal(linux.SIGSEGV)
	}
	return restored
}

func callKill(th *carrier.Thread) int64 {
	pid, signal := int32(th.Regs.RDI), int64(int32(th.Regs.RSI))
	if signal < 0 || signal >= linux.NSIG {
		return -linux.EINVAL
	}
	// The program is alone in its process group.
	if self := processID(); pid != self && pid != 0 && pid != -self {
		return -linux.ESRCH
	}
	if signal != 0 {
		send(nil, int(signal), linux.SI_USER)
	}
	return 0
}

func callTgkill(th *carrier.Thread) int64 {
	if tgid := int32(th.Regs.RDI); tgid != processID() {
		return -linux.ESRCH
	}
	return sendTo(int32(th.Regs.RSI), int64(int32(th.Regs.RDX)))
}

func callTkill(th *carrier.Thread) int64 {
	return sendTo(int32(th.Regs.RDI), int64(int32(th.Regs.RSI)))
}

func sendTo(id int32, signal int64) int64 {
	if signal < 0 || signal >= linux.NSIG || id <= 0 {
		return -linux.EINVAL
	}
	target := threads.Find(id)
	if target == nil {
		return -linux.ESRCH
	}
	if signal != 0 {
		send(target, int(signal), linux.SI_TKILL)
	}
	return 0
}
