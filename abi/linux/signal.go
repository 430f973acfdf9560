package linux

// Signals. NSIG is one more than the highest.
const (
	SIGHUP    = 1
	SIGINT    = 2
	SIGQUIT   = 3
	SIGILL    = 4
	SIGTRAP   = 5
	SIGABRT   = 6
	SIGBUS    = 7
	SIGFPE    = 8
	SIGKILL   = 9
	SIGUSR1   = 10
	SIGSEGV   = 11
	SIGUSR2   = 12
	SIGPIPE   = 13
	SIGALRM   = 14
	SIGTERM   = 15
	SIGSTKFLT = 16
	SIGCHLD   = 17
	SIGCONT   = 18
	SIGSTOP   = 19
	SIGTSTP   = 20
	SIGTTIN   = 21
	SIGTTOU   = 22
	SIGURG    = 23
	SIGXCPU   = 24
	SIGXFSZ   = 25
	SIGVTALRM = 26
	SIGPROF   = 27
	SIGWINCH  = 28
	SIGIO     = 29
	SIGPWR    = 30
	SIGSYS    = 31
	NSIG      = 65
)

// Handlers that are no addresses.
const (
	SIG_DFL = 0
	SIG_IGN = 1
)

// Flags of a Sigaction.
const (
	SA_NOCLDSTOP = 0x1
	SA_NOCLDWAIT = 0x2
	SA_SIGINFO   = 0x4
	SA_RESTORER  = 0x4000000
	SA_ONSTACK   = 0x8000000
	SA_RESTART   = 0x10000000
	SA_NODEFER   = 0x40000000
	SA_RESETHAND = 0x80000000
)

// How rt_sigprocmask changes the mask.
const (
	SIG_BLOCK   = 0
	SIG_UNBLOCK = 1
	SIG_SETMASK = 2
)

// Flags of a SignalStack.
const (
	SS_ONSTACK    = 1
	SS_DISABLE    = 2
	SS_AUTODISARM = 1 << 31
	MINSIGSTKSZ   = 2048
)

// Codes that say where a signal comes from.
const (
	SI_USER     = 0
	SI_KERNEL   = 0x80
	SI_TIMER    = -2
	SI_TKILL    = -6
	ILL_ILLOPN  = 2
	FPE_INTDIV  = 1
	FPE_FLTINV  = 7
	SEGV_MAPERR = 1
	SEGV_ACCERR = 2
	BUS_ADRALN  = 1
	BUS_ADRERR  = 2
	TRAP_BRKPT  = 1
	TRAP_TRACE  = 2
)

// Sigaction says what happens on a signal, as the rt_sigaction call has it.
type Sigaction struct {
	Handler  uint64
	Flags    uint64
	Restorer uint64
	Mask     uint64 // bit s-1 stands for signal s
}

// SignalStack is an alternate signal stack.
type SignalStack struct {
	Base  uint64
	Flags uint32
	_     uint32
	Size  uint64
}

// Siginfo is what a handler learns about its signal. Word0 and Word1 hold the
// faulting address, or the sender's process and user, or the timer and value.
type Siginfo struct {
	Signo int32
	Errno int32
	Code  int32
	_     int32
	Word0 uint64
	Word1 uint64
	_     [12]uint64
}

// Sigcontext is the machine's part of a Ucontext.
type Sigcontext struct {
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP uint64
	RIP, RFLAGS                            uint64
	CS, GS, FS, SS                         uint16
	Err, Trapno, OldMask, CR2              uint64
	FPState                                uint64 // address of the vector state, 0 for none
	_                                      [8]uint64
}

// Ucontext is the state that a signal handler interrupted.
type Ucontext struct {
	Flags    uint64
	Link     uint64
	Stack    SignalStack
	Mcontext Sigcontext
	Sigmask  uint64
}

// SignalFrame is what lies at the stack pointer when a handler is entered.
type SignalFrame struct {
	Return uint64 // the restorer, to which the handler returns
	UC     Ucontext
	Info   Siginfo
}

// Flags of a Ucontext.
const (
	UC_FP_XSTATE         = 1
	UC_SIGCONTEXT_SS     = 2
	UC_STRICT_RESTORE_SS = 4
)

// The software's words in the legacy part of a saved vector state, which say
// that an extended state follows: magic, total size, component bitmap, size of
// the state; and the second magic after it.
const (
	XStateSoftware   = 464 // offset of the words
	XStateMagic1     = 0x46505853
	XStateMagic2     = 0x46505845
	XStateMagic2Size = 4
)
