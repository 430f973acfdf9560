package carrier

import (
	"unsafe"

	"skerry/abi/linux"
)

// Disposition is what a signal does to a program.
type Disposition uint8

// The dispositions.
const (
	Ignore Disposition = iota
	Terminate
	Handle
)

// Signals is the part of a program's signal state that its threads share. The
// zero value is that of a fresh program.
type Signals struct {
	// Pending is the set of signals sent to the program as a whole.
	Pending uint64
	actions [linux.NSIG]linux.Sigaction
	codes   [linux.NSIG]int32 // Siginfo.Code of the signal that is pending
	senders [linux.NSIG]uint64
}

// SignalBit is a signal's bit in a set of signals.
func SignalBit(signal int) uint64 { return 1 << (uint(signal) - 1) }

// unblockable is the set of signals that cannot be blocked, caught or ignored.
const unblockable = 1<<(linux.SIGKILL-1) | 1<<(linux.SIGSTOP-1)

// SetMask makes the mask of a thread the set of signals, less those that cannot be
// blocked.
func (th *Thread) SetMask(set uint64) { th.Mask = set &^ unblockable }

// Action returns what the program does on a signal from 1 to linux.NSIG-1.
func (s *Signals) Action(signal int) linux.Sigaction {
	return s.actions[uint(signal)%linux.NSIG]
}

// SetAction changes what the program does on a signal. It returns 0, or EINVAL
// if there is no such signal or it cannot be changed.
func (s *Signals) SetAction(signal int, action *linux.Sigaction) int64 {
	if signal < 1 || signal >= linux.NSIG || unblockable&SignalBit(signal) != 0 {
		return linux.EINVAL
	}
	s.actions[signal] = *action
	s.actions[signal].Mask &^= unblockable
	return 0
}

// Actions returns what the program does on all signals, to be copied from and to.
func (s *Signals) Actions() *[linux.NSIG]linux.Sigaction { return &s.actions }

// Disposition returns what a signal does now.
func (s *Signals) Disposition(signal int) Disposition {
	switch s.actions[uint(signal)%linux.NSIG].Handler {
	case linux.SIG_IGN:
		return Ignore
	case linux.SIG_DFL:
		switch signal {
		case linux.SIGCHLD, linux.SIGURG, linux.SIGWINCH, linux.SIGCONT,
			linux.SIGSTOP, linux.SIGTSTP, linux.SIGTTIN, linux.SIGTTOU:
			// There is no job control: what would stop does nothing.
			return Ignore
		}
		return Terminate
	}
	return Handle
}

// Send makes a signal pending: for the thread, or for the program if th is
// nil. Code and sender go into its Siginfo. A signal that is ignored is lost.
func (s *Signals) Send(th *Thread, signal int, code int32, sender uint64) {
	if s.Disposition(signal) == Ignore {
		return
	}
	s.codes[signal], s.senders[signal] = code, sender
	if th != nil {
		th.Pending |= SignalBit(signal)
	} else {
		s.Pending |= SignalBit(signal)
	}
}

// Deliverable says whether a signal is to be delivered to the thread.
func (s *Signals) Deliverable(th *Thread) bool {
	return (th.Pending|s.Pending)&^th.Mask != 0
}

// Restarts says whether a call of the thread that was interrupted is to be made again:
// as Linux does, if all signals that are now delivered have handlers that ask for it
// (SA_RESTART), or none.
func (s *Signals) Restarts(th *Thread) bool {
	for signal := 1; signal < linux.NSIG; signal++ {
		if (th.Pending|s.Pending)&^th.Mask&SignalBit(signal) != 0 && s.Disposition(signal) == Handle && s.actions[signal].Flags&linux.SA_RESTART == 0 {
			return false
		}
	}
	return true
}

// Take takes the next signal that is to be delivered to the thread out of what
// is pending, and fills info. It returns 0 if there is none.
func (s *Signals) Take(th *Thread, info *linux.Siginfo) int {
	set := (th.Pending | s.Pending) &^ th.Mask
	if set == 0 {
		return 0
	}
	signal := 1
	for set&1 == 0 {
		set >>= 1
		signal++
	}
	if bit := SignalBit(signal); th.Pending&bit != 0 {
		th.Pending &^= bit
	} else {
		s.Pending &^= bit
	}
	*info = linux.Siginfo{Signo: int32(signal), Code: s.codes[signal], Word0: s.senders[signal]}
	return signal
}

// Fault is what a signal frame says of the exception that caused the signal;
// zero for a signal that was sent.
type Fault struct {
	Vector, Code, Address uint64
}

// VectorState is a saved vector state: address and size in bytes of an XSAVE
// area in standard format, and the components it may hold. Size 0 is none.
type VectorState struct {
	Address, Size, Mask uint64
}

// onAltStack says whether a stack pointer lies on the thread's alternate stack.
func (th *Thread) onAltStack(sp uint64) bool {
	return th.AltStack.Size != 0 && sp > th.AltStack.Base && sp-th.AltStack.Base <= th.AltStack.Size
}

// Place returns where the frame of a signal goes on the thread's stack, and
// where the vector state after it: both, and all up to end, must be writable
// memory before Enter is called.
func (s *Signals) Place(th *Thread, signal int, vector VectorState) (frame, state, end uint64) {
	end = th.Regs.RSP - 128 // the red zone of the System V ABI
	if s.actions[signal].Flags&linux.SA_ONSTACK != 0 && th.AltStack.Size != 0 && !th.onAltStack(th.Regs.RSP) {
		end = th.AltStack.Base + th.AltStack.Size
	}
	state = end
	if vector.Size != 0 {
		state = (end - vector.Size - linux.XStateMagic2Size) &^ 63
	}
	// The frame is where a CALL would have left the stack pointer.
	frame = (state-uint64(unsafe.Sizeof(linux.SignalFrame{})))&^15 - 8
	return frame, state, end
}

// Enter makes the thread enter its handler for a signal: it writes the frame
// to where Place said, with the thread's registers and vector state as they
// are, and sets the registers for the handler. The thread must be resumed in
// full; its vector state may be anything.
func (s *Signals) Enter(th *Thread, signal int, info *linux.Siginfo, fault Fault, vector VectorState) {
	frame, _, _ := s.Place(th, signal, vector)
	s.EnterAt(th, signal, info, fault, vector, frame)
}

// EnterAt is Enter for a frame that is written elsewhere first: at, which is as
// far from a multiple of 64 as where Place said, and to be copied there, from its
// first byte to end.
func (s *Signals) EnterAt(th *Thread, signal int, info *linux.Siginfo, fault Fault, vector VectorState, at uint64) {
	address, state, _ := s.Place(th, signal, vector)
	action := &s.actions[signal]
	f := (*linux.SignalFrame)(pointer(uintptr(at)))
	r := &th.Regs
	*f = linux.SignalFrame{Return: action.Restorer, Info: *info}
	f.UC.Flags = linux.UC_SIGCONTEXT_SS | linux.UC_STRICT_RESTORE_SS
	f.UC.Stack = th.AltStack
	if th.onAltStack(r.RSP) {
		f.UC.Stack.Flags |= linux.SS_ONSTACK
	}
	f.UC.Sigmask = th.Mask
	m := &f.UC.Mcontext
	m.R8, m.R9, m.R10, m.R11, m.R12, m.R13, m.R14, m.R15 = r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15
	m.RDI, m.RSI, m.RBP, m.RBX, m.RDX, m.RAX, m.RCX, m.RSP = r.RDI, r.RSI, r.RBP, r.RBX, r.RDX, r.RAX, r.RCX, r.RSP
	m.RIP, m.RFLAGS = r.RIP, r.RFLAGS
	m.CS, m.SS = UserCS, UserSS
	m.Err, m.Trapno, m.CR2, m.OldMask = fault.Code, fault.Vector, fault.Address, th.Mask
	if vector.Size != 0 {
		f.UC.Flags |= linux.UC_FP_XSTATE
		m.FPState = state
		writeVector(uintptr(at+(state-address)), vector)
	}

	th.Mask |= action.Mask
	if action.Flags&linux.SA_NODEFER == 0 {
		th.Mask |= SignalBit(signal)
	}
	if action.Flags&linux.SA_RESETHAND != 0 {
		action.Handler = linux.SIG_DFL
	}
	r.RIP = action.Handler
	r.RSP = address
	r.RDI = uint64(signal)
	r.RSI = address + uint64(unsafe.Offsetof(f.Info))
	r.RDX = address + uint64(unsafe.Offsetof(f.UC))
	r.RAX = 0
	r.RFLAGS &^= flagTF | flagDF | flagRF
	th.Resume = ResumeFull
}

// The segment selectors of user mode as Linux has them: programs see them in
// signal frames.
const (
	UserCS = 0x33
	UserSS = 0x2b
)

// Flags in RFLAGS.
const (
	flagTF = 1 << 8
	flagIF = 1 << 9
	flagDF = 1 << 10
	flagRF = 1 << 16
	// userFlags are those that a program may set from its frame: CF, PF, AF,
	// ZF, SF, DF, OF, RF, AC, ID. Not TF: who resumes a thread may have to
	// load the flags before the last instruction of its own.
	userFlags = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | flagDF | 0x800 | flagRF | 0x40000 | 0x200000
)

// UserFlags makes any word a value of RFLAGS that is safe to load in user mode:
// interrupts on, no I/O privilege.
func UserFlags(flags uint64) uint64 { return flags&userFlags | flagIF | 2 }

// FrameOf returns the address of the frame from which a thread that makes the
// rt_sigreturn call wants to go on: all of linux.SignalFrame must be readable
// memory before Leave is called.
func FrameOf(th *Thread) uint64 { return th.Regs.RSP - 8 }

// VectorOf returns the address of the vector state in the frame that a thread
// returns from; 0 if it has none.
func VectorOf(th *Thread) uint64 {
	return (*linux.SignalFrame)(pointer(uintptr(FrameOf(th)))).UC.Mcontext.FPState
}

// Leave restores the thread's registers, mask and alternate stack from its
// frame. If state is not 0 it is the address of the frame's vector state,
// vector.Size bytes of readable memory, which is copied to the save area that
// vector names and made fit to be loaded. The new instruction pointer is the
// caller's to check.
func Leave(th *Thread, state uint64, vector VectorState) { LeaveFrom(th, FrameOf(th), state, vector) }

// LeaveFrom is Leave with a copy of the frame, and of the vector state, somewhere
// else.
func LeaveFrom(th *Thread, frame, state uint64, vector VectorState) {
	f := (*linux.SignalFrame)(pointer(uintptr(frame)))
	m := &f.UC.Mcontext
	r := &th.Regs
	r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15 = m.R8, m.R9, m.R10, m.R11, m.R12, m.R13, m.R14, m.R15
	r.RDI, r.RSI, r.RBP, r.RBX, r.RDX, r.RAX, r.RCX, r.RSP = m.RDI, m.RSI, m.RBP, m.RBX, m.RDX, m.RAX, m.RCX, m.RSP
	r.RIP, r.RFLAGS = m.RIP, UserFlags(m.RFLAGS)
	th.SetMask(f.UC.Sigmask)
	if f.UC.Stack.Flags&^linux.SS_ONSTACK == 0 && f.UC.Stack.Size >= linux.MINSIGSTKSZ {
		th.AltStack = linux.SignalStack{Base: f.UC.Stack.Base, Size: f.UC.Stack.Size}
	} else if f.UC.Stack.Flags&linux.SS_DISABLE != 0 {
		th.AltStack = linux.SignalStack{Flags: linux.SS_DISABLE}
	}
	th.Resume = ResumeFull
	if state != 0 && vector.Size != 0 {
		readVector(uintptr(state), vector)
		th.Resume = ResumeVector
	}
}
