package main

import (
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/vspace"
)

// The calls on memory: package vspace does what they do.

const protBoth = linux.PROT_WRITE | linux.PROT_EXEC

func callMmap(th *carrier.Thread) int64 {
	r := &th.Regs
	prot, flags := uint32(r.RDX), r.R10
	if r.R9&pageMask != 0 {
		return -linux.EINVAL
	}
	kind, offset := vspace.BackZero, uint64(0)
	if flags&linux.MAP_ANONYMOUS == 0 {
		var errno int64
		if kind, offset, errno = mapFile(int32(r.R8), r.R9, pageUp(r.RSI), prot, flags); errno != 0 {
			return errno
		}
	}
	return vspace.Mmap(r.RDI, r.RSI, prot, flags, kind, offset)
}

func callMunmap(th *carrier.Thread) int64 { return vspace.Munmap(th.Regs.RDI, th.Regs.RSI) }

func callMprotect(th *carrier.Thread) int64 {
	return vspace.Mprotect(th.Regs.RDI, th.Regs.RSI, uint32(th.Regs.RDX))
}

func callMadvise(th *carrier.Thread) int64 {
	return vspace.Madvise(th.Regs.RDI, th.Regs.RSI, th.Regs.RDX)
}

func callBrk(th *carrier.Thread) int64 { return vspace.Brk(th.Regs.RDI) }

func callMincore(th *carrier.Thread) int64 {
	return vspace.Mincore(th.Regs.RDI, th.Regs.RSI, th.Regs.RDX)
}
