package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier"
)

// Types that the assembly names by the macros of go_asm.h.
type (
	registers abi.Registers
	entries   abi.Entries
)

// Numbers for the assembly. The stack is what every upcall starts at the top of,
// but that for nested page faults, which has its own.
const (
	gSize            = carrier.GSize
	callInvoke       = abi.CallInvoke
	stackSize        = 16 << 10
	nestedStackSize  = 4 << 10
	vectorAlign      = 64
	nestedVectorSize = abi.VectorAreaSize + vectorAlign
)

// Offsets in the dispatcher page, for the assembly to reach through GS, and
// what the words of Scratch are used for.
const (
	atSelf           = unsafe.Offsetof(abi.Dispatcher{}.Self)
	atDisabled       = unsafe.Offsetof(abi.Dispatcher{}.Disabled)
	atHasWork        = unsafe.Offsetof(abi.Dispatcher{}.HasWork)
	atLinuxReturn    = unsafe.Offsetof(abi.Dispatcher{}.LinuxReturn)
	atLinuxFlags     = unsafe.Offsetof(abi.Dispatcher{}.LinuxFlags)
	atVectorMask     = unsafe.Offsetof(abi.Dispatcher{}.VectorMask)
	atVectorMaskHigh = atVectorMask + 4
	atClockBase      = unsafe.Offsetof(abi.Dispatcher{}.Clock) + unsafe.Offsetof(abi.Clock{}.Base)
	atClockMul       = unsafe.Offsetof(abi.Dispatcher{}.Clock) + unsafe.Offsetof(abi.Clock{}.Mul)
	atClockReal      = unsafe.Offsetof(abi.Dispatcher{}.Clock) + unsafe.Offsetof(abi.Clock{}.Real)
	atNested         = unsafe.Offsetof(abi.Dispatcher{}.Nested)
	atNestedState    = unsafe.Offsetof(abi.Dispatcher{}.NestedState)
	atNestedRIP      = atNestedState + unsafe.Offsetof(abi.Registers{}.RIP)
	atNestedFlags    = atNestedState + unsafe.Offsetof(abi.Registers{}.RFLAGS)
	atNestedRSP      = atNestedState + unsafe.Offsetof(abi.Registers{}.RSP)

	atScratch    = unsafe.Offsetof(abi.Dispatcher{}.Scratch)
	atCurrent    = atScratch + 0*8 // address of the current carrier.Thread
	atStack      = atScratch + 1*8 // where the libos's stack begins
	atTLS        = atScratch + 2*8 // FS base of libos code
	atFull       = atScratch + 3*8 // address of the registers to resume from, see resume
	atVector     = atScratch + 4*8 // address of the vector state that goes with them, or 0
	atResumed    = atScratch + 5*8 // what full was when leave was entered
	atFrameRIP   = atScratch + 6*8 // what leave is to load
	atFrameFlags = atScratch + 7*8
	atFrameRSP   = atScratch + 8*8

	threadResume = unsafe.Offsetof(carrier.Thread{}.Resume)
)

// Words of Scratch.
const (
	scratchCurrent = (atCurrent - atScratch) / 8
	scratchFull    = (atFull - atScratch) / 8
	scratchVector  = (atVector - atScratch) / 8
	scratchRIP     = (atFrameRIP - atScratch) / 8
	scratchFlags   = (atFrameFlags - atScratch) / 8
	scratchRSP     = (atFrameRSP - atScratch) / 8
)

// The vector areas of the dispatcher frame.
const (
	enabledVector = abi.DispatcherBase + 1*abi.PageSize
	trapVector    = abi.DispatcherBase + 2*abi.PageSize
)

// pointer turns an address that the compiler knows nothing of into a pointer.
func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// at is the structure at an address.
func at[T any](address uint64) *T { return (*T)(pointer(uintptr(address))) }

// bytesAt is the memory at an address.
func bytesAt(address, n uint64) []byte {
	return unsafe.Slice((*byte)(pointer(uintptr(address))), int(n))
}

// addressOf is the address of a structure of the libos.
func addressOf[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// dispatcher returns the dispatcher page. A domain has one dispatcher.
func dispatcher() *abi.Dispatcher { return at[abi.Dispatcher](abi.DispatcherBase) }

// entryPoints fills in where the upcalls enter.
//
//go:noescape
func entryPoints(e *abi.Entries)

// leaveRange returns the bounds of the code that resumes a thread from the
// frame in the dispatcher page.
func leaveRange() (low, high uint64)

// native makes a native call.
func native(number, a, b uint64) abi.Error

// probeCopy copies n bytes, of which either end may be memory of the program that is
// not there, or not so: it returns false then, and has copied a part.
func probeCopy(to, from, n uint64) bool

// probeLoad loads a word of the program's memory; false if it is not there.
func probeLoad(address uint64) (value uint32, ok bool)

// spanEntry returns where Linux calls enter in a domain with several dispatchers.
func spanEntry() uint64

// invoke asks something of a capability: of what capability.Word packed, with
// up to five words.
func invoke(word, a, b, c, d, e uint64) (value uint64, err capability.Error)

// notifySpawner rings the doorbell of the domain that spawned this one.
func notifySpawner() {
	invoke(capability.Word(capability.Base(capability.SlotSupervisor), capability.DoorbellRing), 0, 0, 0, 0, 0)
}

// readTSC reads the time-stamp counter, after all instructions before.
func readTSC() uint64

// The saved registers in the dispatcher page.
const (
	enabledRegisters = abi.DispatcherBase + uint64(unsafe.Offsetof(abi.Dispatcher{}.Enabled))
	trapRegisters    = abi.DispatcherBase + uint64(unsafe.Offsetof(abi.Dispatcher{}.Trap))
)
