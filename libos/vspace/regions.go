package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// What backs a region: carrier.Region.Kind.
const (
	// BackZero: zeroed pages, private.
	BackZero uint32 = iota
	// BackArchive: the boot archive's own pages, from Offset on, never written.
	BackArchive
	// BackCopy: private copies of the archive's pages, from Offset on.
	BackCopy
	// BackFrame: the pages of the Frame or DeviceFrame at the reference Source,
	// from Offset on.
	BackFrame
)

// Flags of a region.
const (
	flagHuge      = 1 << iota // huge pages are wanted
	flagShared                // MAP_SHARED: what it holds stays though pages go
	flagNoWrite               // what backs it may not be written
	flagNoExecute             // nor executed
)

const (
	// programLow is the lowest address that a program may map, as on Linux.
	programLow = 0x1_0000

	pageMask = pageSize - 1
	protAll  = linux.PROT_READ | linux.PROT_WRITE | linux.PROT_EXEC
	// protBoth is refused: no page is writable and executable at once.
	protBoth = linux.PROT_WRITE | linux.PROT_EXEC
)

// pageUp rounds an address up to a page; it may wrap to 0.
func pageUp(address uint64) uint64 { return (address + pageMask) &^ pageMask }

// errno is the Linux error number for an error that is no program's fault.
func errno(err capability.Error) int64 {
	if err == capability.OK {
		return 0
	}
	return linux.ENOMEM
}

// Top returns the end of the addresses that the program may map.
func Top() uint64 {
	if space.shared {
		return abi.SpanTop
	}
	return abi.ProgramTop
}

// Regions returns the program's regions, to be read only.
func Regions() *carrier.Regions { return &space.regions }

// MapRegion puts a region in place of whatever was there; what it brings in
// comes when it is touched. It returns a Linux error number, EINVAL or ENOMEM,
// and has changed nothing then.
func MapRegion(g carrier.Region) int64 {
	r := &space.regions
	if g.Start >= g.End || (g.Start|g.End)&pageMask != 0 || !r.Contains(g.Start, g.End-g.Start) {
		return linux.EINVAL
	}
	if !r.Clear(g.Start, g.End) {
		if e := vacateRange(g.Start, g.End); e != 0 {
			return e
		}
	}
	return r.Map(g)
}

// vacateRange takes away all pages of a range whose regions are to change. Then
// the table of regions has room for that.
func vacateRange(start, end uint64) int64 {
	if space.regions.Spare() < carrier.SpareRegions {
		return linux.ENOMEM
	}
	err := splitAround(start, end)
	if err == capability.OK {
		err = unmap(start, end)
	}
	forget()
	return errno(err)
}

// splitAround makes sure that no huge page reaches over the bounds of a range.
func splitAround(start, end uint64) capability.Error {
	if err := split(start); err != capability.OK {
		return err
	}
	return split(end)
}

// Mmap is mmap; kind and offset say what backs the region, which the caller
// found out from the file descriptor: BackZero, BackArchive or BackCopy.
func Mmap(address, length uint64, prot uint32, flags uint64, kind uint32, offset uint64) int64 {
	if length == 0 || offset&pageMask != 0 {
		return -linux.EINVAL
	}
	prot &= protAll // others mean nothing to mmap
	length = pageUp(length)
	if length == 0 || length > abi.ProgramTop {
		return -linux.ENOMEM
	}
	if prot&protBoth == protBoth {
		return -linux.EACCES
	}
	g := carrier.Region{Prot: prot, Kind: kind, Offset: offset}
	switch sharing := flags & linux.MAP_TYPE; {
	case sharing == linux.MAP_PRIVATE:
	case sharing == linux.MAP_SHARED, sharing == linux.MAP_SHARED_VALIDATE && flags&linux.MAP_ANONYMOUS == 0:
		if g.Flags = flagShared; kind != BackZero {
			g.Flags = flagNoWrite // files can only be read
		}
	default:
		return -linux.EINVAL
	}
	place, e := choose(address, length, flags)
	if e != 0 {
		return -e
	}
	g.Start, g.End = place, place+length
	if e := MapRegion(g); e != 0 {
		return -e
	}
	if flags&linux.MAP_POPULATE != 0 && populate(g.Start, g.End) != capability.OK {
		Munmap(place, length)
		return -linux.ENOMEM
	}
	settle()
	return int64(place)
}

// choose says where a region of a length goes, as mmap's address and flags ask.
func choose(address, length, flags uint64) (uint64, int64) {
	r := &space.regions
	if flags&(linux.MAP_FIXED|linux.MAP_FIXED_NOREPLACE) == 0 {
		ceiling := uint64(0)
		if flags&linux.MAP_32BIT != 0 {
			ceiling = 1 << 31
		}
		place, ok := r.Place(address, length, ceiling)
		if !ok {
			return 0, linux.ENOMEM
		}
		return place, 0
	}
	switch {
	case address&pageMask != 0:
		return 0, linux.EINVAL
	case address < programLow:
		return 0, linux.EPERM
	case !r.Contains(address, length):
		return 0, linux.ENOMEM
	case flags&linux.MAP_FIXED_NOREPLACE != 0 && !r.Clear(address, address+length):
		return 0, linux.EEXIST
	}
	return address, 0
}

// pageRange checks a range given by address and length. It returns an error
// number, EINVAL or the one given, for one that is not within the program's part.
func pageRange(address, length uint64, outside int64) (end uint64, e int64) {
	if address&pageMask != 0 {
		return 0, linux.EINVAL
	}
	end = address + pageUp(length)
	if end < address || pageUp(length) < length || end > abi.ProgramTop {
		return 0, outside
	}
	return end, 0
}

// Munmap is munmap.
func Munmap(address, length uint64) int64 {
	end, e := pageRange(address, length, linux.EINVAL)
	if e != 0 || address == end {
		return -linux.EINVAL
	}
	start := max(address, programLow)
	if start >= end || space.regions.Clear(start, end) {
		return 0
	}
	if e := vacateRange(start, end); e != 0 {
		return -e
	}
	e = space.regions.Unmap(start, end)
	settle()
	return -e
}

// Mprotect is mprotect. No page can be writable and executable: EACCES.
func Mprotect(address, length uint64, prot uint32) int64 {
	end, e := pageRange(address, length, linux.ENOMEM)
	switch {
	case e != 0:
		return -e
	case prot&^protAll != 0:
		return -linux.EINVAL
	case address == end:
		return 0
	case prot&protBoth == protBoth:
		return -linux.EACCES
	case address < programLow:
		return -linux.ENOMEM
	}
	if splitAround(address, end) != capability.OK {
		return -linux.ENOMEM
	}
	for start := address; start < end; {
		g, ok := space.regions.Find(start)
		if !ok {
			forget()
			return -linux.ENOMEM
		}
		g = g.Clip(start, end)
		if e := protectRegion(g, prot); e != 0 {
			forget()
			return -e
		}
		start = g.End
	}
	settle()
	return 0
}

// protectRegion changes the protection of a region, or a part of one.
func protectRegion(g carrier.Region, prot uint32) int64 {
	old := g.Prot
	switch {
	case old == prot:
		return 0
	case prot&linux.PROT_WRITE != 0 && g.Flags&flagNoWrite != 0,
		prot&linux.PROT_EXEC != 0 && g.Flags&flagNoExecute != 0:
		return linux.EACCES
	}
	if g.Kind == BackArchive && prot&linux.PROT_WRITE != 0 {
		// From here on pages may be written: they become copies.
		g.Kind, g.Prot = BackCopy, prot
		return MapRegion(g)
	}
	if e := space.regions.Protect(g.Start, g.End, prot); e != 0 {
		return e
	}
	return errno(protect(g.Start, g.End, native(prot)))
}

// Mincore is mincore.
func Mincore(address, length, vector uint64) int64 {
	end, e := pageRange(address, length, linux.ENOMEM)
	if e != 0 {
		return -e
	}
	if !space.regions.Mapped(address, end) {
		return -linux.ENOMEM
	}
	if code, err := Usable(vector, (end-address)>>pageShift, linux.PROT_WRITE); code != 0 || err != capability.OK {
		return -linux.EFAULT
	}
	for a := address; a < end; a += pageSize {
		in := byte(0)
		if entryOf(a) != 0 {
			in = 1
		}
		*at[byte](vector) = in
		vector++
	}
	return 0
}

// SetBreak says where the program's break begins, and is.
func SetBreak(address uint64) { space.breakStart, space.breakEnd = address, address }

// Brk is brk: it returns the break, which has moved if that was possible.
func Brk(to uint64) int64 {
	if to < space.breakStart || to > abi.ProgramTop {
		return int64(space.breakEnd)
	}
	old, end := pageUp(space.breakEnd), pageUp(to)
	switch {
	case end > old:
		g := carrier.Region{Start: old, End: end, Prot: linux.PROT_READ | linux.PROT_WRITE}
		if !space.regions.Clear(old, end) || MapRegion(g) != 0 {
			return int64(space.breakEnd)
		}
	case end < old:
		if Munmap(end, old-end) != 0 {
			return int64(space.breakEnd)
		}
	}
	space.breakEnd = to
	return int64(to)
}
