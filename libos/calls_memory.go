package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// The calls on memory. They return what the Linux calls of their names do.

const (
	protAll = linux.PROT_READ | linux.PROT_WRITE | linux.PROT_EXEC
	// protBoth is refused: no page is writable and executable at once.
	protBoth = linux.PROT_WRITE | linux.PROT_EXEC
)

func callMmap(th *carrier.Thread) int64 {
	r := &th.Regs
	address, length, prot, flags := r.RDI, r.RSI, uint32(r.RDX), r.R10
	if length == 0 || prot&^protAll != 0 {
		return -linux.EINVAL
	}
	length = pageUp(length)
	if length == 0 || length > abi.ProgramTop {
		return -linux.ENOMEM
	}
	if prot&protBoth == protBoth {
		return -linux.EACCES
	}
	g := carrier.Region{Prot: prot}
	switch flags & linux.MAP_TYPE {
	case linux.MAP_PRIVATE, linux.MAP_SHARED, linux.MAP_SHARED_VALIDATE:
	default:
		return -linux.EINVAL
	}
	if flags&linux.MAP_ANONYMOUS == 0 {
		if r.R9&pageMask != 0 {
			return -linux.EINVAL
		}
		kind, offset, errno := mapFile(int32(r.R8), r.R9, length, prot, flags)
		if errno != 0 {
			return errno
		}
		g.Kind, g.Offset = kind, offset
	}
	if flags&(linux.MAP_FIXED|linux.MAP_FIXED_NOREPLACE) != 0 {
		if address&pageMask != 0 {
			return -linux.EINVAL
		}
		if !memory.regions.Contains(address, length) {
			if address < programLow {
				return -linux.EPERM
			}
			return -linux.ENOMEM
		}
		if !memory.regions.Clear(address, address+length) {
			if flags&linux.MAP_FIXED_NOREPLACE != 0 {
				return -linux.EEXIST
			}
			if memory.regions.Spare() < carrier.SpareRegions {
				return -linux.ENOMEM
			}
			drop(address>>pageShift, (address+length)>>pageShift)
		}
	} else {
		ceiling := uint64(0)
		if flags&linux.MAP_32BIT != 0 {
			ceiling = 1 << 31
		}
		place, ok := memory.regions.Place(address, length, ceiling)
		if !ok {
			return -linux.ENOMEM
		}
		address = place
	}
	g.Start, g.End = address, address+length
	if errno := memory.regions.Map(g); errno != 0 {
		return -errno
	}
	if flags&linux.MAP_POPULATE != 0 && prot != 0 {
		populate(g.Start, g.End)
	}
	return int64(address)
}

// populate brings in all pages of [start, end), which is mapped.
func populate(start, end uint64) {
	for start < end {
		g, ok := memory.regions.Find(start)
		if !ok {
			return
		}
		stop := min(end, g.End)
		for page := start >> pageShift; g.Prot != 0 && page < stop>>pageShift; page++ {
			if pageBits(page) == 0 {
				back(&g, page)
			}
		}
		start = stop
	}
}

// pageRange checks a range given by address and length. It returns an error
// number, EINVAL or ENOMEM, for one that is not within the program's part.
func pageRange(address, length uint64, outside int64) (end uint64, errno int64) {
	if address&pageMask != 0 {
		return 0, linux.EINVAL
	}
	end = address + pageUp(length)
	if end < address || pageUp(length) < length || end > abi.ProgramTop {
		return 0, outside
	}
	return end, 0
}

func callMunmap(th *carrier.Thread) int64 {
	start := th.Regs.RDI
	end, errno := pageRange(start, th.Regs.RSI, linux.EINVAL)
	if errno != 0 || start == end {
		return -linux.EINVAL
	}
	start = max(start, programLow)
	if start >= end {
		return 0
	}
	if errno := memory.regions.Unmap(start, end); errno != 0 {
		return -errno
	}
	drop(start>>pageShift, end>>pageShift)
	return 0
}

func callMprotect(th *carrier.Thread) int64 {
	start, prot := th.Regs.RDI, uint32(th.Regs.RDX)
	end, errno := pageRange(start, th.Regs.RSI, linux.ENOMEM)
	if errno != 0 {
		return -errno
	}
	if prot&^protAll != 0 {
		return -linux.EINVAL
	}
	if prot&protBoth == protBoth {
		return -linux.EACCES
	}
	if start < programLow && start < end {
		return -linux.ENOMEM
	}
	for start < end {
		g, ok := memory.regions.Find(start)
		if !ok {
			return -linux.ENOMEM
		}
		stop := min(end, g.End)
		if g.Kind == backArchive && prot&linux.PROT_WRITE != 0 {
			// From here on pages may be written: they become copies.
			if g.Start < start {
				g.Offset += start - g.Start
				g.Start = start
			}
			g.End, g.Kind, g.Prot = stop, backCopy, prot
			if errno := memory.regions.Map(g); errno != 0 {
				return -errno
			}
			drop(start>>pageShift, stop>>pageShift)
		} else if g.Prot != prot {
			if errno := memory.regions.Protect(start, stop, prot); errno != 0 {
				return -errno
			}
			protectPages(start>>pageShift, stop>>pageShift, prot)
		}
		start = stop
	}
	return 0
}

func callMadvise(th *carrier.Thread) int64 {
	start := th.Regs.RDI
	end, errno := pageRange(start, th.Regs.RSI, linux.EINVAL)
	if errno != 0 {
		return -errno
	}
	if start == end {
		return 0
	}
	switch th.Regs.RDX {
	case linux.MADV_DONTNEED, linux.MADV_DONTNEED_LOCKED, linux.MADV_FREE:
		// Pages are taken away, so that they read as zero (or as the file)
		// again. MADV_FREE allows that to happen at once.
		drop(start>>pageShift, end>>pageShift)
	case linux.MADV_POPULATE_READ, linux.MADV_POPULATE_WRITE:
		if !memory.regions.Mapped(start, end) {
			return -linux.ENOMEM
		}
		populate(start, end)
	case linux.MADV_NORMAL, linux.MADV_RANDOM, linux.MADV_SEQUENTIAL, linux.MADV_WILLNEED,
		linux.MADV_DONTFORK, linux.MADV_DOFORK, linux.MADV_HUGEPAGE, linux.MADV_NOHUGEPAGE,
		linux.MADV_DONTDUMP, linux.MADV_DODUMP, linux.MADV_COLD, linux.MADV_PAGEOUT:
	default:
		return -linux.EINVAL
	}
	if !memory.regions.Mapped(start, end) {
		return -linux.ENOMEM
	}
	return 0
}

func callBrk(th *carrier.Thread) int64 {
	to := th.Regs.RDI
	if to < memory.breakStart || to > abi.ProgramTop {
		return int64(memory.breakEnd)
	}
	old, end := pageUp(memory.breakEnd), pageUp(to)
	switch {
	case end > old:
		g := carrier.Region{Start: old, End: end, Prot: linux.PROT_READ | linux.PROT_WRITE}
		if !memory.regions.Clear(old, end) || memory.regions.Map(g) != 0 {
			return int64(memory.breakEnd)
		}
	case end < old:
		if memory.regions.Unmap(end, old) != 0 {
			return int64(memory.breakEnd)
		}
		drop(end>>pageShift, old>>pageShift)
	}
	memory.breakEnd = to
	return int64(to)
}

func callMincore(th *carrier.Thread) int64 {
	start := th.Regs.RDI
	end, errno := pageRange(start, th.Regs.RSI, linux.ENOMEM)
	if errno != 0 {
		return -errno
	}
	if !memory.regions.Mapped(start, end) {
		return -linux.ENOMEM
	}
	vector := th.Regs.RDX
	if !writable(vector, (end-start)>>pageShift) {
		return -linux.EFAULT
	}
	for page := start >> pageShift; page < end>>pageShift; page++ {
		*at[byte](vector) = byte(pageBits(page) & presentBit)
		vector++
	}
	return 0
}
