package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// What backs a region of the program's memory: carrier.Region.Kind. Offset is
// then the offset in the boot archive.
const (
	backZero    uint32 = iota // zeroed pages
	backArchive               // the archive's own pages, never written
	backCopy                  // private copies of the archive's pages
)

// programLow is the lowest address that a program may map, as on Linux.
const programLow = 0x1_0000

const pageMask = abi.PageSize - 1

// memory is the program's address space. The zero value is not ready for use:
// see initMemory.
var memory struct {
	regions carrier.Regions
	// breakStart and breakEnd bound what brk has given.
	breakStart, breakEnd uint64
	// nextFault is the page after those that the last fault brought in, and
	// window how many it brought: faults that go upwards bring ever more.
	nextFault, window uint64
	// peak and held count pages.
	held, peak uint64
	faults     uint64
}

// Bounds on how many pages one fault brings in.
const (
	maxZeroWindow    = 16
	maxArchiveWindow = 64
)

func initMemory() {
	memory.regions.Init(heapRegions, maxRegions, programLow, abi.ProgramTop)
}

// pageUp rounds an address up to a page; it may wrap to 0.
func pageUp(address uint64) uint64 { return (address + pageMask) &^ pageMask }

// nativeProt is what a protection asks of the page tables: on amd64 whatever
// can be written or executed can be read.
func nativeProt(prot uint32) uint64 {
	p := uint64(prot) & (abi.ProtRead | abi.ProtWrite | abi.ProtExec)
	if p != 0 {
		p |= abi.ProtRead
	}
	return p
}

// bitsOf is what the page table of the libos says of a page with a protection.
func bitsOf(prot uint32) uint64 {
	if prot&linux.PROT_WRITE != 0 {
		return presentBit | writableBit
	}
	return presentBit
}

// outOfMemory ends the domain: the core or its quota has no page left.
func outOfMemory(err abi.Error) { native(abi.CallExit, abi.ExitMemory, uint64(err), 0, 0) }

// count adds pages that the domain now holds.
func count(pages uint64) {
	memory.held += pages
	memory.peak = max(memory.peak, memory.held)
}

// mapZero backs pages [page, end), none of which is mapped.
func mapZero(page, end uint64, prot uint32) {
	setPages(page, end, bitsOf(prot))
	count(end - page)
	for page < end {
		n := min(end-page, abi.MapMax)
		if err, _ := native(abi.CallMap, page<<pageShift, n, nativeProt(prot), 0); err != abi.OK {
			outOfMemory(err)
		}
		page += n
	}
}

// mapArchive maps the archive's pages from offset on at [page, end).
func mapArchive(page, end, offset uint64, prot uint32) {
	setPages(page, end, presentBit)
	for page < end {
		n := min(end-page, abi.MapMax)
		if err, _ := native(abi.CallMapArchive, page<<pageShift, n, nativeProt(prot&^linux.PROT_WRITE), offset); err != abi.OK {
			outOfMemory(err)
		}
		page += n
		offset += n << pageShift
	}
}

// mapCopy backs pages [page, end) with copies of the archive's from offset on.
func mapCopy(page, end, offset uint64, prot uint32) {
	mapZero(page, end, linux.PROT_READ|linux.PROT_WRITE)
	copy(bytesAt(page<<pageShift, (end-page)<<pageShift), bytesAt(abi.ArchiveBase+offset, (end-page)<<pageShift))
	if prot&linux.PROT_WRITE == 0 {
		protectPages(page, end, prot)
	}
}

// drop takes the mapped pages in [page, end) away.
func drop(page, end uint64) {
	for {
		first, after := presentRun(page, end)
		if first == after {
			return
		}
		setPages(first, after, 0)
		memory.held -= min(after-first, memory.held)
		page = after
		for first < after {
			n := min(after-first, abi.UnmapMax)
			native(abi.CallUnmap, first<<pageShift, n, 0, 0)
			first += n
		}
	}
}

// protectPages changes the rights of the mapped pages in [page, end).
func protectPages(page, end uint64, prot uint32) {
	for {
		first, after := presentRun(page, end)
		if first == after {
			return
		}
		setPages(first, after, bitsOf(prot))
		page = after
		for first < after {
			n := min(after-first, abi.UnmapMax)
			native(abi.CallProtect, first<<pageShift, n, nativeProt(prot), 0)
			first += n
		}
	}
}

// back brings in a page of a region that allows an access to it, and perhaps
// some after it.
func back(g *carrier.Region, page uint64) {
	limit := uint64(maxZeroWindow)
	if g.Kind == backArchive {
		limit = maxArchiveWindow
	}
	window := uint64(1)
	if page == memory.nextFault {
		window = min(2*memory.window, limit)
	} else if g.Kind == backArchive {
		window = 8
	}
	end := min(page+window, g.End>>pageShift)
	end = findPage(page, end, 0) // not beyond the next page that is mapped
	memory.window, memory.nextFault = window, end
	offset := g.Offset + (page<<pageShift - g.Start)
	switch g.Kind {
	case backZero:
		mapZero(page, end, g.Prot)
	case backArchive:
		mapArchive(page, end, offset, g.Prot)
	case backCopy:
		mapCopy(page, end, offset, g.Prot)
	}
}

// access serves a page fault or prepares an access of the libos's own: want is
// the protection needed at an address. It returns 0, or the code of the SIGSEGV
// that the access causes.
func access(address uint64, want uint32) int32 {
	if address >= abi.ProgramTop {
		return linux.SEGV_MAPERR
	}
	g, ok := memory.regions.Find(address)
	if !ok {
		return linux.SEGV_MAPERR
	}
	allowed := g.Prot
	if allowed&(linux.PROT_WRITE|linux.PROT_EXEC) != 0 {
		allowed |= linux.PROT_READ
	}
	if allowed&want != want {
		return linux.SEGV_ACCERR
	}
	page := address >> pageShift
	if pageBits(page) == 0 {
		back(&g, page)
	}
	return 0
}

// readable makes sure that the libos may read n bytes of the program's memory.
func readable(address, n uint64) bool { return usable(address, n, linux.PROT_READ, presentBit) }

// writable makes sure that the libos may write n bytes of the program's memory.
func writable(address, n uint64) bool {
	return usable(address, n, linux.PROT_WRITE, presentBit|writableBit)
}

func usable(address, n uint64, want uint32, need uint64) bool {
	if n == 0 {
		return true
	}
	if address >= abi.ProgramTop || n > abi.ProgramTop-address {
		return false
	}
	last := (address + n - 1) >> pageShift
	for page := address >> pageShift; page <= last; page++ {
		if pageBits(page)&need != need && access(page<<pageShift, want) != 0 {
			return false
		}
	}
	return true
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
