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
			enterHandler(th, signal, &info, carrier.Fault{})
		}
	}
}

// enterHandler makes the current thread go on in its handler for a signal. A
// thread without room for the frame is ended with SIGSEGV, and all others too.
func enterHandler(th *carrier.Thread, signal int, info *linux.Siginfo, fault carrier.Fault) {
	var vector carrier.VectorState
	if th.Resume == carrier.ResumeVector {
		vector = vectorState(th)
	}
	frame, _, end := signals.Place(th, signal, vector)
	if frame > end || !writable(frame, end-frame) {
		exitBySignal(linux.SIGSEGV)
	}
	signals.Enter(th, signal, info, fault, vector)
	prepare(th)
}

// fault sends the current thread the signal of an exception, at once: one that
// is blocked or ignored ends the program.
func fault(signal int, code int32, address uint64) {
	d := dispatcher()
	th := threads.Current()
	settle(th)
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
	if current := threads.Current(); current != nil && signals.Deliverable(current) {
		return
	}
	for i := range carrier.Index(threads.Used()) {
		if th := threads.At(i); th.State() != carrier.Free && signals.Deliverable(th) {
			threads.Interrupt(th)
			return
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
	old := th.Mask
	if r.RSI != 0 {
		if !readable(r.RSI, 8) {
			return -linux.EFAULT
		}
		set := *at[uint64](r.RSI)
		switch r.RDI {
		case linux.SIG_BLOCK:
			th.SetMask(old | set)
		case linux.SIG_UNBLOCK:
			th.SetMask(old &^ set)
		case linux.SIG_SETMASK:
			th.SetMask(set)
		default:
			return -linux.EINVAL
		}
	}
	if r.RDX != 0 {
		if !writable(r.RDX, 8) {
			return -linux.EFAULT
		}
		*at[uint64](r.RDX) = old
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
	old := th.AltStack
	on := old.Size != 0 && r.RSP > old.Base && r.RSP-old.Base <= old.Size
	if on {
		old.Flags |= linux.SS_ONSTACK
	}
	if r.RDI != 0 {
		if !readable(r.RDI, size) {
			return -linux.EFAULT
		}
		if on {
			return -linux.EPERM
		}
		s := *at[linux.SignalStack](r.RDI)
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
	if r.RSI != 0 {
		if !writable(r.RSI, size) {
			return -linux.EFAULT
		}
		*at[linux.SignalStack](r.RSI) = old
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
