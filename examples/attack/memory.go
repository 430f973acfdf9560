package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"skerry/abi"
)

// region is an address that a program may not read, write or execute.
type region struct {
	name    string
	address uintptr
}

// hidden are addresses that no program may read, write or execute.
var hidden = []region{
	{"window onto physical memory", abi.WindowBase},
	{"window, the boot image", abi.WindowBase + abi.BootPhys},
	{"window, the local APIC", abi.WindowBase + 0xfee0_0000},
	{"kernel heap", abi.KernelHeap},
	{"kernel heap, further up", abi.KernelHeap + 0x40_0000},
	{"devices", abi.DeviceBase},
	{"kernel base", abi.KernelBase},
	{"kernel text", abi.KernelBase + abi.KernelOffset},
	{"kernel text or data", abi.KernelBase + abi.KernelOffset + 0x10_0000},
	{"kernel data or bss", abi.KernelBase + abi.KernelOffset + 0x20_0000},
	{"first kernel address", 0xffff_8000_0000_0000},
	{"last kernel page", 0xffff_ffff_ffff_f000},
	{"lowest non-canonical address", abi.UserTop},
	{"non-canonical address", 0x1234_5678_9abc_def0},
	{"highest non-canonical address", 0xffff_7fff_ffff_fff8},
	{"physical zero", 0x10},
}

// foreign are user addresses at which other domains have memory, this one not.
var foreign = []region{
	{"a monitor's channels", abi.MonitorChannels},
	{"a monitor's channel to core 1", abi.MonitorChannels + abi.MonitorChannelSize},
	{"beyond the dispatcher frame", abi.DispatcherBase + abi.DispatcherSize},
	{"beyond the channels", abi.StdioBase + abi.ChannelsSize},
	{"the page below the program", 0x3f_f000},
	{"far up in the heap's range", 0xc8_0000_0000},
	{"the end of what programs may map", abi.ProgramTop - abi.PageSize},
	{"the last user page", abi.UserTop - abi.PageSize},
}

// shared are pages that programs may read at most: other domains use the same.
var shared = []region{
	{"libos text", abi.LibosBase},
	{"libos text, further up", abi.LibosBase + 0x2000},
	{"boot archive", abi.ArchiveBase},
	{"domain information", abi.InfoBase},
}

// Data for the attacks on the program's own write and execute protection.
var (
	constant   = "a string constant stands in read-only memory"
	dataReturn = [64]byte{ret}
)

// ret is the machine code of RET.
const ret = 0xc3

var memoryAttacks = []attack{
	{"read", "read one address, given in hexadecimal, and die of it", func(argument string) (outcome, error) {
		address, err := parseAddress(argument)
		if err != nil {
			return "", err
		}
		breach("%#x holds %#x", address, load(address))
		return "", nil
	}},
	{"write", "write one address, given in hexadecimal, and die of it", func(argument string) (outcome, error) {
		address, err := parseAddress(argument)
		if err != nil {
			return "", err
		}
		store(address, 0x4141_4141_4141_4141)
		breach("wrote %#x", address)
		return "", nil
	}},
	{"read-kernel", "read addresses of the kernel", func(string) (outcome, error) {
		return onEach(hidden, "read", func(address uintptr) { load(address) })
	}},
	{"write-kernel", "write addresses of the kernel", func(string) (outcome, error) {
		return onEach(hidden, "written", func(address uintptr) { store(address, 0x4141_4141_4141_4141) })
	}},
	{"call-kernel", "execute addresses of the kernel", func(string) (outcome, error) {
		return onEach(hidden, "executed", call)
	}},
	{"read-others", "read where other programs have memory", func(string) (outcome, error) {
		return onEach(foreign, "read", func(address uintptr) { load(address) })
	}},
	{"write-others", "write where other programs have memory", func(string) (outcome, error) {
		return onEach(foreign, "written", func(address uintptr) { store(address, 0x4141_4141_4141_4141) })
	}},
	{"write-shared", "write libos text, boot archive and domain information", func(string) (outcome, error) {
		return onEach(shared, "written", func(address uintptr) { store(address, 0x4141_4141_4141_4141) })
	}},
	{"write-libos", "write libos text, and die of it", func(string) (outcome, error) {
		store(abi.LibosBase, 0)
		breach("libos text was written")
		return "", nil
	}},
	{"write-constant", "write a string constant, and die of it", func(string) (outcome, error) {
		*unsafe.StringData(constant) = 'A'
		breach("read-only data was written: %s", constant)
		return "", nil
	}},
	{"write-text", "write the program's own code, and die of it", func(string) (outcome, error) {
		store(codeAddress(), 0x9090_9090_9090_9090)
		breach("program text was written")
		return "", nil
	}},
	{"call-data", "execute the data segment, and die of it", func(string) (outcome, error) {
		call(uintptr(unsafe.Pointer(&dataReturn)))
		breach("the data segment was executed")
		return "", nil
	}},
	{"call-heap", "execute the heap, and die of it", func(string) (outcome, error) {
		code := make([]byte, 64<<10)
		code[0] = ret
		call(uintptr(unsafe.Pointer(&code[0])))
		breach("the heap was executed")
		return "", nil
	}},
	{"call-stack", "execute the stack, and die of it", func(string) (outcome, error) {
		callStack()
		breach("the stack was executed")
		return "", nil
	}},
	{"call-archive", "execute the boot archive", func(string) (outcome, error) {
		return onEach([]region{{"boot archive", abi.ArchiveBase}, {"dispatcher frame", abi.DispatcherBase}, {"stdio frame", abi.StdioBase}, {"domain information", abi.InfoBase}}, "executed", call)
	}},
	{"map-write-execute", "map memory that is writable and executable", func(string) (outcome, error) {
		memory, err := syscall.Mmap(-1, 0, abi.PageSize, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return "", err
		}
		memory[0] = ret
		if err := faults(func() { call(uintptr(unsafe.Pointer(&memory[0]))) }); err != nil {
			return "", err
		}
		breach("code was written and executed in one page")
		return "", nil
	}},
	{"enter-libos", "jump into the libos at an offset, given in hexadecimal", func(argument string) (outcome, error) {
		offset, err := parseAddress(argument)
		if err != nil {
			return "", err
		}
		call(abi.LibosBase + offset)
		return "the libos came back", nil
	}},
}

// onEach tries something on every region; each try must end in a fault.
func onEach(regions []region, done string, try func(uintptr)) (outcome, error) {
	var last error
	for _, r := range regions {
		if last = faults(func() { try(r.address) }); last == nil {
			breach("%s (%#x) was %s", r.name, r.address, done)
		}
	}
	return "", fmt.Errorf("%d of %d: %w", len(regions), len(regions), last)
}

func parseAddress(text string) (uintptr, error) {
	address, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		fmt.Fprintf(os.Stderr, "attack: %q is not an address\n", text)
		os.Exit(2)
	}
	return uintptr(address), nil
}
