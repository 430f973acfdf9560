package carry

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/kernel/amd64"
)

func sigaction(signal int, new, old uint64) int64 {
	if signal < 1 || signal >= linux.NSIG {
		return -linux.EINVAL
	}
	if old != 0 {
		*(*linux.Sigaction)(unsafe.Pointer(uintptr(old))) = signals.Action(signal)
	}
	if new != 0 {
		return -signals.SetAction(signal, (*linux.Sigaction)(unsafe.Pointer(uintptr(new))))
	}
	return 0
}

func sigprocmask(th *carrier.Thread, how, set, old uint64) int64 {
	if old != 0 {
		*(*uint64)(unsafe.Pointer(uintptr(old))) = th.Mask
	}
	if set != 0 {
		s := *(*uint64)(unsafe.Pointer(uintptr(set)))
		switch how {
		case linux.SIG_BLOCK:
			s |= th.Mask
		case linux.SIG_UNBLOCK:
			s = th.Mask &^ s
		}
		th.SetMask(s)
	}
	return 0
}

// sigreturn continues where a signal handler of the runtime wants to: mostly
// in sigpanic.
func sigreturn(th *carrier.Thread) {
	carrier.Leave(th, 0, carrier.VectorState{})
	th.Regs.RFLAGS = 2 // the kernel runs with interrupts off
}

// trap handles an exception raised in ring 0: the interrupted state is in
// amd64.KernelTrap, and execution goes on with what it then holds.
func trap() {
	t := amd64.KernelTrapCause()
	r := &amd64.KernelTrap
	if t.Vector == amd64.PageFault && t.Code&amd64.FaultPresent == 0 && page(t.Address) {
		return
	}
	if dying || free(r.RSP) || amd64.NestedTrap() {
		unexpected(t)
	}
	signal, code := 0, int32(linux.SI_KERNEL)
	switch t.Vector {
	case amd64.PageFault:
		signal, code = linux.SIGSEGV, linux.SEGV_MAPERR
		if t.Code&amd64.FaultPresent != 0 {
			code = linux.SEGV_ACCERR
		}
	case amd64.GeneralFault:
		signal = linux.SIGSEGV
	case amd64.DivideError:
		signal, code = linux.SIGFPE, linux.FPE_INTDIV
	}
	th := threads.Current()
	if signal == 0 || signals.Disposition(signal) != carrier.Handle {
		unexpected(t)
	}
	// Hand the fault to the runtime as Linux would: its handler turns it into
	// a panic with the goroutine's stack.
	th.Regs = *r
	frame, _, end := signals.Place(th, signal, carrier.VectorState{})
	for va := frame &^ (abi.PageSize - 1); va < end; va += abi.PageSize {
		// A fault while a fault is handled would be one too many.
		if space().Lookup(&core.Pages, uintptr(va)) == 0 && !page(va) {
			unexpected(t)
		}
	}
	info := linux.Siginfo{Signo: int32(signal), Code: code, Word0: t.Address}
	signals.Enter(th, signal, &info, carrier.Fault{Vector: uint64(t.Vector), Code: t.Code, Address: t.Address}, carrier.VectorState{})
	th.Regs.RFLAGS = 2
	*r = th.Regs
}
