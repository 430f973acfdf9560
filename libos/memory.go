package main

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/libos/vspace"
)

// programLow is the lowest address that a program may map, as on Linux.
const programLow = 0x1_0000

const pageMask = abi.PageSize - 1

// pageFaults counts the page faults of the program.
var pageFaults uint64

// initMemory sets up the program's memory and the libos's own heap. Before it,
// nothing may touch that.
func initMemory() {
	initSupply()
	c := vspace.Config{Kernel: invoke, Supply: requestRAM, Return: returnRAM, Tables: heapTables, CNodes: lastCNode}
	c.Shared, c.Settle = spanned.on && !spanned.satellite, settleOthers
	c.Replicated, c.Await = c.Shared && spanned.replicated, settleKernels
	if at[abi.Info](abi.InfoBase).Flags&abi.InfoLog == 0 {
		c.MostCNodes = vspace.MaxCNodes
	}
	err := vspace.Init(c)
	if err != capability.OK {
		outOfMemory(err)
	}
}

// lastCNode is the end of the slots of the first L1 CNode that are the libos's:
// all of them in most domains, which get larger ones, while a core's monitor, in
// which output goes to the log, mounts those of others from there on.
const lastCNode = capability.L2Slots

// pageUp rounds an address up to a page; it may wrap to 0.
func pageUp(address uint64) uint64 { return (address + pageMask) &^ pageMask }

// outOfMemory ends the domain: neither it nor its spawner has memory left.
func outOfMemory(err capability.Error) {
	if spanned.satellite {
		end(abi.ExitMemory, uint64(err))
	}
	native(abi.CallExit, abi.ExitMemory, uint64(err))
}

// access serves a page fault at an address: want is the protection needed. It
// returns 0, or the code of the SIGSEGV that the access causes.
func access(address uint64, want uint32) int32 {
	code, err := vspace.Fault(address, want)
	if err != capability.OK {
		outOfMemory(err)
	}
	return code
}

// readable makes sure that the libos may read n bytes of the program's memory.
func readable(address, n uint64) bool { return usable(address, n, linux.PROT_READ) }

// writable makes sure that the libos may write n bytes of the program's memory.
func writable(address, n uint64) bool { return usable(address, n, linux.PROT_WRITE) }

func usable(address, n uint64, want uint32) bool {
	code, err := vspace.Usable(address, n, want)
	if err != capability.OK {
		outOfMemory(err)
	}
	return code == 0
}

// readString makes sure that the libos may read the program's string at an
// address, and returns it without its NUL. It returns an error number, EFAULT
// or ENAMETOOLONG, if that is not possible or it is longer than limit bytes.
func readString(address, limit uint64) (string, int64) {
	for n := uint64(0); n <= limit; n++ {
		if (n == 0 || (address+n)&pageMask == 0) && !readable(address+n, 1) {
			return "", linux.EFAULT
		}
		if *at[byte](address + n) == 0 {
			return stringAt(address, n), 0
		}
	}
	return "", linux.ENAMETOOLONG
}
