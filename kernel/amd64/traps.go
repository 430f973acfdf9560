package amd64

import (
	"math/bits"

	"skerry/abi"
)

// The types whose fields assembly addresses through go_asm.h.
type (
	registers  abi.Registers
	dispatcher abi.Dispatcher
)

// Why EnterUser returned, in Trap.Vector: a vector number below 256, or this.
const NativeCall = 256

// Exceptions by vector (SDM 3A 6.15).
const (
	DivideError    = 0
	DebugException = 1
	NMI            = 2
	Breakpoint     = 3
	InvalidOpcode  = 6
	DoubleFault    = 8
	GeneralFault   = 13
	PageFault      = 14
	MachineCheck   = 18
)

// Bits of a page fault's error code.
const (
	FaultPresent = 1
	FaultWrite   = 2
	FaultUser    = 4
	FaultFetch   = 16
)

// What the last trap was. Valid until interrupts are next allowed.
var (
	trapVector, trapCode, trapAddress uint64
	// saveAX … hold registers for the few instructions in which the entry
	// code has no stack. Interrupts are off, and what nests (NMI, machine
	// check, double fault) does not return.
	saveAX, saveBX, saveR11 uint64

	// Who runs in user mode, for the entry code.
	userRegs, userVector, userPage uintptr
	linuxEntry                     uint64
	// linuxCalls counts the Linux calls that were sent back up.
	linuxCalls uint64

	// Where EnterUser was called.
	kernelSP, kernelFS uintptr

	// eventBegan is when interrupts were last turned off, longestEvent the
	// longest time for which they were, in ticks of the time-stamp counter.
	eventBegan, longestEvent uint64

	// pending has a bit for each interrupt that came while halted.
	pending [4]uint64

	// Ring-0 traps and calls, handled by freestanding Go.
	kernelCallEntry, kernelTrapEntry uintptr
	carriedRegs                      uintptr
	trapFrame                        uintptr
	inKernelTrap                     uint64
	// KernelTrap is the state of ring-0 code that trapped, while the handler
	// runs; the handler may change it.
	KernelTrap abi.Registers
	// kernelVector keeps the vector state of ring-0 code that trapped. Two
	// pages, so that an aligned page lies in it; its address is kernelVectorAt.
	kernelVector   [2 * abi.PageSize]byte
	kernelVectorAt uintptr

	// initialVector is what XRSTOR loads to leave nothing of the kernel's in
	// the vector registers; the address of a 64-byte aligned part is
	// initialVectorAt.
	initialVector   [abi.PageSize + 64]byte
	initialVectorAt uintptr

	mxcsr uint32 = 0x1f80
)

// Trap says why EnterUser returned.
type Trap struct {
	Vector  int    // 0–255 or NativeCall
	Code    uint64 // the exception's error code, else 0
	Address uint64 // CR2
}

// User is what the entry code must know of the dispatcher that is about to run.
type User struct {
	// Registers and Vector are where its state is loaded from and saved to:
	// kernel addresses of an abi.Registers and of a 64-byte aligned XSAVE
	// area, both out of the user's reach.
	Registers, Vector uintptr
	// Page is the kernel's address of its dispatcher page, LinuxEntry its
	// Linux upcall or 0.
	Page       uintptr
	LinuxEntry uint64
}

// SetUser names the dispatcher that the next EnterUser runs.
func SetUser(u *User) {
	userRegs, userVector, userPage, linuxEntry = u.Registers, u.Vector, u.Page, u.LinuxEntry
}

// UserRegisters returns User.Registers of the last SetUser, 0 before.
func UserRegisters() uintptr { return userRegs }

// TakeLinuxCalls returns how many Linux calls were sent back up to liboses since
// it was last called.
func TakeLinuxCalls() uint64 {
	n := linuxCalls
	linuxCalls = 0
	return n
}

// EnterUser loads the registers of the dispatcher named by SetUser and runs it
// in user mode until something happens; then its registers are saved and
// EnterUser returns. If full is 1 the vector state is loaded from its area,
// else it starts in its initial state. After an interrupt or exception the
// vector area holds the vector state; after a native call it does not.
//
// It must be called with interrupts off and on the dispatch loop's goroutine.
func EnterUser(full uint64)

// Called reports whether EnterUser returned for a native call.
func Called() bool { return trapVector == NativeCall }

// LastTrap tells why EnterUser returned.
func LastTrap() Trap {
	return Trap{Vector: int(trapVector), Code: trapCode, Address: trapAddress}
}

// Idle lets interrupts in and halts until one has come. It returns with
// interrupts off, in a new event; what came is in the set that TakePending empties.
func Idle()

// LetIn lets in the interrupts that wait, and returns with interrupts off, in a
// new event; what came is in the set that TakePending empties.
func LetIn()

// EventBegins says that an event begins now, and that none was before.
func EventBegins()

// EventBegan returns when the event being handled began: when user mode was
// left or interrupts were last let in, in ticks of the time-stamp counter.
func EventBegan() uint64 { return eventBegan }

// LongestEvent returns the longest time that an event has taken, in which
// interrupts were off, in ticks of the time-stamp counter.
func LongestEvent() uint64 { return longestEvent }

// TakePending returns the lowest vector of the interrupts that ended a halt
// and forgets it, or -1 if there is none left.
func TakePending() int {
	for i, word := range pending {
		if word != 0 {
			pending[i] = word & (word - 1)
			return i*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// SetKernelEntries names the freestanding handlers of Linux calls made in ring
// 0 and of exceptions raised in ring 0, by the addresses of their ABI0 entry
// points. Both run on stacks of their own, with a g that allows any depth.
func SetKernelEntries(call, trap uintptr) {
	kernelCallEntry, kernelTrapEntry = call, trap
}

// SetCarried names the registers of the thread of the kernel's own runtime
// that runs from now on: a ring-0 call saves into it, and the return from one
// loads from the then carried thread.
func SetCarried(regs uintptr) { carriedRegs = regs }

// KernelTrapCause tells what exception the ring-0 trap handler is handling.
func KernelTrapCause() Trap {
	return Trap{Vector: int(trapVector), Code: trapCode, Address: trapAddress}
}

// NestedTrap reports whether the ring-0 trap being handled was raised by the
// handler of another, whose state is lost.
func NestedTrap() bool { return inKernelTrap > 1 }

const (
	dispatcherBase = abi.DispatcherBase
	// callStackSize is the stack on which ring-0 Linux calls are served.
	callStackSize = 32 << 10
)

var callStack [callStackSize]byte
