package carrier

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
)

// Index names a thread in its table.
type Index int32

// None is no thread.
const None Index = -1

// State is what a thread is doing.
type State uint8

// The states of a thread.
const (
	Free    State = iota // no thread: the entry may be used for one
	Running              // the current thread
	Ready                // in the ready queue
	Blocked              // waits for a key, a deadline or both
	Aside                // in no queue: see Threads.SetAside
)

// How a thread's registers must be loaded when it goes on.
const (
	// ResumeCall: it is in a Linux call, RCX and R11 may hold anything.
	ResumeCall uint8 = iota
	// ResumeYield: it gave way by a plain call: RIP, RSP, RBP, RAX and FS base
	// hold, any other register may hold anything. Whatever resumes it as if by
	// ResumeCall does right.
	ResumeYield
	// ResumeFull: it was interrupted anywhere: all registers and flags.
	ResumeFull
	// ResumeVector: as ResumeFull, and its vector state is in Vector.
	ResumeVector
)

// Thread is a thread of a carried program. Its registers come first, so that
// assembly that has the thread's address has theirs. Callers use the exported
// fields freely while the thread exists.
type Thread struct {
	// Regs is its state while it does not run.
	Regs abi.Registers
	// Vector is the address of its vector save area; 0 until it has one.
	// Its entry keeps the area when the thread ends.
	Vector uint64
	// Resume says how it must be resumed.
	Resume uint8
	// The next three bytes are its manner with Resume: see ThreadManner.
	level uint8
	// Policy and Nice are what scheduling calls set and tell; the table does not
	// look at them. A child inherits them and Turn.
	Nice   int8
	Policy uint8
	// Restart says that a blocked call is to be made again when the thread
	// is woken, from the arguments in Regs; otherwise Regs.RAX already holds
	// what the call returns.
	Restart bool
	state   State
	// Interrupted is set when Interrupt woke it, until its next Block.
	Interrupted bool
	// ID is its Linux thread number.
	ID int32

	// Expired is what RAX becomes when Deadline passes before it is woken,
	// unless Restart is set.
	Expired int64
	// Deadline is the time at which it stops to wait; 0 is never.
	Deadline int64

	// Mask is the set of blocked signals, Pending those sent to this thread.
	Mask, Pending uint64
	// Turn is how long it may run while others of its level are ready, in ns;
	// the table does not look at it.
	Turn int64
	// Name is what it calls itself, padded with NUL.
	Name [16]byte
	// AltStack is the alternate signal stack; Size 0 if there is none.
	AltStack linux.SignalStack
	// ClearTID is the address of a word to clear, and of a futex to wake,
	// when it ends; 0 for none.
	ClearTID uint64

	key        uint64
	bits       uint32
	next, prev Index // in the free list, the ready queue or a wait queue
	position   int32 // in the heap of sleepers, -1 if not in it
	sleeper    Index // element of the heap of sleepers with this entry's number
	_          uint32
}

// ThreadSize is the size of a thread in its table, in bytes.
const ThreadSize = unsafe.Sizeof(Thread{})

// State returns what the thread is doing.
func (th *Thread) State() State { return th.state }

// Key returns what a blocked thread waits for; 0 if only for its deadline.
func (th *Thread) Key() uint64 { return th.key }
