package main

import (
	"fmt"
	"strings"
	"unsafe"

	"skerry/abi"
)

// stateAttacks leave the processor in a state that a kernel or libos may not
// expect, and then make it enter one.
var stateAttacks = []attack{
	{"flag-iopl", "raise the I/O privilege level through POPF", func(string) (outcome, error) {
		if flags := flagsAfter(3 << 12); flags&(3<<12) != 0 {
			breach("flags are %#x", flags)
		}
		return "POPF did not change it", nil
	}},
	{"flag-interrupt", "disable interrupts through POPF", func(string) (outcome, error) {
		if flags := flagsAfter(0); flags&(1<<9) == 0 {
			breach("flags are %#x", flags)
		}
		return "POPF did not change it", nil
	}},
	{"flag-trap", "single-step, and die of it", func(string) (outcome, error) {
		flagsAfter(1 << 8)
		return "single steps were swallowed", nil
	}},
	{"flag-alignment", "make an unaligned access with alignment checks on", func(string) (outcome, error) {
		if err := faults(func() { callWithFlags(1<<18, linuxGetppid) }); err != nil {
			return "", err
		}
		return "nothing checked", nil
	}},
	{"flag-nested", "make a Linux call with the nested-task flag set", func(string) (outcome, error) {
		return fmtOutcome("the call returned %d", callWithFlags(1<<14, linuxGetppid))
	}},
	{"flag-nested-native", "make a native call with the nested-task flag set", func(string) (outcome, error) {
		return fmtOutcome("the call returned %d", callWithFlags(1<<14, abi.NativeCall|abi.CallNop))
	}},
	{"flag-nested-fault", "fault with the nested-task flag set", func(string) (outcome, error) {
		return "", faults(func() { faultWithFlags(1 << 14) })
	}},
	{"flag-direction", "make calls with the direction flag set", func(string) (outcome, error) {
		callWithFlags(1<<10, linuxGetppid)
		return fmtOutcome("the calls returned %d", callWithFlags(1<<10, abi.NativeCall|abi.CallNop))
	}},
	{"flag-all", "make a native call with all flags set", func(string) (outcome, error) {
		return fmtOutcome("the call returned %d", callWithFlags(0x3ffed7, abi.NativeCall|abi.CallNop))
	}},
	{"flag-all-linux", "make a Linux call with all flags set", func(string) (outcome, error) {
		return fmtOutcome("the call returned %d", callWithFlags(0x3ffed7, linuxGetppid))
	}},
	{"stack-call", "make calls with the stack pointer in kernel memory", func(string) (outcome, error) {
		for _, r := range hidden {
			callWithStack(r.address, linuxGetppid)
			callWithStack(r.address, abi.NativeCall|abi.CallNop)
		}
		return "the calls came back", nil
	}},
	{"stack-interrupt", "be interrupted with the stack pointer in kernel memory", func(string) (outcome, error) {
		for _, r := range hidden {
			spinWithStack(r.address, 20_000_000)
		}
		return "nothing happened", nil
	}},
	{"stack-fault", "fault with the stack pointer in kernel memory, and die of it", func(string) (outcome, error) {
		faultWithStack(abi.KernelBase + abi.KernelOffset + 0x10_0000)
		breach("the fault came back")
		return "", nil
	}},
	{"stack-trap", "execute an undefined instruction with the stack pointer in kernel memory, and die of it", func(string) (outcome, error) {
		trapWithStack(abi.WindowBase + 0x10_0000)
		breach("the trap came back")
		return "", nil
	}},
	{"gs-base", "make calls, fault and be interrupted with GS base in kernel memory", func(string) (outcome, error) {
		for _, r := range hidden {
			if r.address>>47 == 0 || r.address>>47 == 0x1ffff {
				callWithGS(r.address, linuxGetppid)
				callWithGS(r.address, abi.NativeCall|abi.CallNop)
			}
		}
		spinWithGS(abi.KernelBase, 50_000_000)
		return "", faults(func() { faultWithGS(abi.KernelBase) })
	}},
	{"gs-selector", "make calls with a null GS selector", func(string) (outcome, error) {
		return fmtOutcome("the call returned %d", callWithNullGS(linuxGetppid))
	}},
	{"fs-base", "make calls and fault with FS base in kernel memory, and die of it", func(string) (outcome, error) {
		callWithFS(abi.KernelBase, linuxGetppid)
		callWithFS(abi.KernelBase, abi.NativeCall|abi.CallNop)
		faultWithFS(abi.KernelBase)
		breach("the fault came back")
		return "", nil
	}},
	{"call-edge", "make a call whose return address is not canonical", func(string) (outcome, error) {
		// SYSCALL as the last two bytes of the last user page.
		_, err := mapFixed(abi.UserTop-abi.PageSize, abi.PageSize)
		if err != nil {
			return "", err
		}
		store(abi.UserTop-8, 0x050f_9090_9090_9090)
		if err := protectExecute(abi.UserTop-abi.PageSize, abi.PageSize); err != nil {
			return "", err
		}
		call(abi.UserTop - 8)
		breach("the call came back")
		return "", nil
	}},
	{"mode-32", "make a call in 32-bit mode, if a segment for it exists, and die of it", func(argument string) (outcome, error) {
		selector, err := parseAddress(argument)
		if err != nil {
			return "", err
		}
		enterSegment(selector)
		return "the segment's code came back", nil
	}},
	{"fast-call", "make a system call by SYSENTER", func(string) (outcome, error) {
		if err := faults(sysenter); err != nil {
			return "", err
		}
		breach("SYSENTER was executed")
		return "", nil
	}},
	{"vector-state", "load a vector state with reserved bits set", func(string) (outcome, error) {
		return "", faults(loadBadVectorState)
	}},
	{"dispatcher", "overwrite the dispatcher frame and go on computing", scribble},
	{"dispatcher-zero", "clear the dispatcher frame and go on computing", func(string) (outcome, error) { return fill(0) }},
	{"dispatcher-kernel", "fill the dispatcher frame with kernel addresses and go on computing", func(string) (outcome, error) {
		return fill(abi.KernelBase + abi.KernelOffset)
	}},
	{"dispatcher-edge", "fill the dispatcher frame with addresses that are not canonical and go on computing", func(string) (outcome, error) {
		return fill(abi.UserTop)
	}},
	{"stdio", "overwrite the stdio frame and go on printing", func(string) (outcome, error) {
		if load(abi.StdioBase) == 0 && load(abi.StdioBase+8) == 0 {
			fmt.Println("the stdio frame was empty")
		}
		for offset := uintptr(0); offset < abi.StdioSize; offset += 8 {
			store(abi.StdioBase+offset, 0xffff_ffff_ffff_ffff)
		}
		fmt.Println(strings.Repeat("text after the damage ", 300))
		return "printing goes on", nil
	}},
}

// linuxGetppid is the number of a Linux call without arguments or effect.
const linuxGetppid = 110

func fmtOutcome(format string, value uint64) (outcome, error) {
	return outcome(fmt.Sprintf(format, int64(value))), nil
}

// scribble fills the dispatcher frame with a pseudo-random pattern.
func scribble(string) (outcome, error) {
	seed := uint64(0x9e37_79b9_7f4a_7c15)
	for offset := uintptr(0); offset < abi.DispatcherSize; offset += 8 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		store(abi.DispatcherBase+offset, seed)
	}
	return afterDamage()
}

// fill sets every word of the dispatcher frame.
func fill(value uint64) (outcome, error) {
	for offset := uintptr(0); offset < abi.DispatcherSize; offset += 8 {
		store(abi.DispatcherBase+offset, value)
	}
	return afterDamage()
}

// afterDamage computes for many time slices, calls and faults, so that the
// kernel comes to use what the program has damaged.
func afterDamage() (outcome, error) {
	spinWithGS(abi.DispatcherBase, 300_000_000)
	callWithFlags(0, linuxGetppid)
	faults(func() { load(8) })
	held := make([]byte, 8<<20)
	for i := 0; i < len(held); i += abi.PageSize {
		held[i] = 1
	}
	return "the program lives on", nil
}

// frameWords is the length of a signal frame's part that rt_sigreturn reads,
// generously rounded up, in words.
const frameWords = 256

// A Linux x86-64 ucontext in words: where the registers and the segments are.
const (
	frameRSP      = 5 + 15
	frameRIP      = 5 + 16
	frameFlags    = 5 + 17
	frameSegments = 5 + 18
	frameState    = 5 + 22
)

// signalReturn calls rt_sigreturn with registers of the program's choice.
func signalReturn(rip, rsp, flags, segments, state uint64) {
	frame := new([frameWords]uint64)
	frame[frameRIP] = rip
	frame[frameRSP] = rsp
	frame[frameFlags] = flags
	frame[frameSegments] = segments
	frame[frameState] = state
	sigreturn(uintptr(unsafe.Pointer(frame)))
}
