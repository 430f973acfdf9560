package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/vspace"
)

// libosCalls serves the calls beside Linux's, from abi.LibosCall on; see there.
// The functions are as those of calls.
var libosCalls = [abi.LibosCallEnd - abi.LibosCall]func(*carrier.Thread) int64{
	abi.LibosSlot - abi.LibosCall:     callLibosSlot,
	abi.LibosFreeSlot - abi.LibosCall: callLibosFreeSlot,
	abi.LibosCNode - abi.LibosCall:    callLibosCNode,
	abi.LibosMap - abi.LibosCall:      callLibosMap,
	abi.LibosRAM - abi.LibosCall:      callLibosRAM,
	abi.LibosGiveRAM - abi.LibosCall:  callLibosGiveRAM,
	abi.LibosMemory - abi.LibosCall:   callLibosMemory,
	abi.LibosYield - abi.LibosCall:    callLibosYield,
}

// referenceOf returns the reference in an argument: 0, which names nothing, for
// a number that is none.
func referenceOf(argument uint64) capability.Reference {
	if argument>>32 != 0 {
		return 0
	}
	return capability.Reference(argument)
}

// libosErrno is an error of package vspace as such a call returns it.
func libosErrno(err capability.Error) int64 {
	switch err {
	case capability.OK:
		return 0
	case capability.ErrMemory, capability.ErrQuota:
		return -linux.ENOMEM
	}
	return -linux.EINVAL
}

func callLibosSlot(*carrier.Thread) int64 {
	slot, err := vspace.Slot()
	if err != capability.OK {
		return libosErrno(err)
	}
	return int64(slot)
}

func callLibosFreeSlot(th *carrier.Thread) int64 {
	return libosErrno(vspace.FreeSlot(referenceOf(th.Regs.RDI)))
}

func callLibosCNode(*carrier.Thread) int64 {
	cnode, err := vspace.CNode()
	if err != capability.OK {
		return libosErrno(err)
	}
	return int64(cnode)
}

func callLibosMap(th *carrier.Thread) int64 {
	r := &th.Regs
	if r.R8>>32 != 0 {
		return -linux.EINVAL
	}
	return vspace.MapFrame(r.RDI, referenceOf(r.RSI), r.RDX, r.R10, uint32(r.R8))
}

func callLibosRAM(th *carrier.Thread) int64 {
	return libosErrno(vspace.RAM(th.Regs.RDI, referenceOf(th.Regs.RSI)))
}

func callLibosGiveRAM(th *carrier.Thread) int64 {
	return libosErrno(vspace.GiveRAM(referenceOf(th.Regs.RDI)))
}

func callLibosMemory(th *carrier.Thread) int64 {
	if !writable(th.Regs.RDI, uint64(unsafe.Sizeof(abi.Memory{}))) {
		return -linux.EFAULT
	}
	vspace.Memory(at[abi.Memory](th.Regs.RDI))
	return 0
}

// callLibosYield does not come back, but by the run upcall, in which the thread has
// its turn again; or with an error.
func callLibosYield(th *carrier.Thread) int64 {
	th.Regs.RAX = 0
	threads.Yield()
	th.Regs.RAX = uint64(libosErrno(native(abi.CallYield, th.Regs.RDI, 0)))
	return switched
}
