package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// Bounds on how many pages one fault brings in: faults that go upwards bring
// ever more.
const (
	maxZeroWindow    = 16
	maxArchiveWindow = 64
	archiveWindow    = 8
)

// Fault serves a page fault of the program at an address, or prepares an access
// of the libos's own; want is the access, linux.PROT_…. It returns 0, after which
// the access does not fault any more, or the code of the SIGSEGV that the access is
// to cause: SEGV_MAPERR, SEGV_ACCERR. An error says that the memory could not be
// had, which ends the domain.
func Fault(address uint64, want uint32) (code int32, err capability.Error) {
	g, ok := space.regions.Find(address)
	if !ok {
		return linux.SEGV_MAPERR, capability.OK
	}
	prot := native(g.Prot)
	if uint64(want)&^prot != 0 || prot == 0 {
		return linux.SEGV_ACCERR, capability.OK
	}
	switch e := entryOf(address); {
	case e == 0:
		err = back(&g, address)
	case uint64(want)&^e.prot() != 0:
		err = protectPage(address&^pageMask, prot) // it failed once
	default:
		return linux.SEGV_MAPERR, capability.OK // it was there: the program has taken its memory away
	}
	if err != capability.OK && g.Kind == BackFrame && err != capability.ErrMemory && err != capability.ErrQuota {
		return linux.SEGV_MAPERR, capability.OK // the program has taken the frame away
	}
	return 0, err
}

// Usable makes sure that the libos can access [address, address+n) as want says.
// It returns what Fault returns for the first page for which it is not so.
func Usable(address, n uint64, want uint32) (code int32, err capability.Error) {
	if n == 0 {
		return 0, capability.OK
	}
	if address >= abi.ProgramTop || n > abi.ProgramTop-address {
		return linux.SEGV_MAPERR, capability.OK
	}
	end := address + n
	for a := address &^ pageMask; a < end; a += pageSize {
		if present(a, want) {
			continue
		}
		if code, err = Fault(a, want); code != 0 || err != capability.OK {
			return code, err
		}
	}
	return 0, capability.OK
}

// present says whether the page of an address is mapped with a protection.
func present(address uint64, want uint32) bool {
	page := address &^ pageMask
	if page == space.seen && uint64(want)&^space.seenProt == 0 {
		return true
	}
	e := entryOf(address)
	if e == 0 || uint64(want)&^e.prot() != 0 || e.prot() == 0 {
		return false
	}
	space.seen, space.seenProt = page, e.prot()
	return true
}

// back brings in the page of an address of a region, and perhaps some after it.
func back(g *carrier.Region, address uint64) capability.Error {
	Replenish() // each may touch new heap, and populate brings in many
	page := address &^ pageMask
	if g.Kind == BackFrame {
		return backFrame(g, page)
	}
	if g.Flags&flagHuge != 0 && g.Kind == BackZero && backHuge(g, page) {
		return capability.OK
	}
	n, err := table(1, page)
	if err == capability.OK {
		end := windowEnd(n, g, page)
		if g.Kind == BackArchive {
			err = mapPages(n, page, record{
				source: capability.Base(capability.SlotArchive),
				page:   uint32((g.Offset + page - g.Start) >> pageShift),
				count:  uint16((end - page) >> pageShift),
				kind:   recordForeign,
			}, native(g.Prot&^linux.PROT_WRITE))
		} else {
			err = backOwn(n, g, page, end)
		}
		if n.used == 0 {
			emptied(page)
		}
		return err
	}
	prune(page)
	return err
}

// windowEnd returns how far a fault at a page brings pages in, and notes it for
// the next one: to the window's end, the region's, the table's, or the next page
// that is mapped.
func windowEnd(n *node, g *carrier.Region, page uint64) uint64 {
	limit, window := uint64(maxZeroWindow), uint64(1)
	if g.Kind == BackArchive {
		limit, window = maxArchiveWindow, archiveWindow
	}
	if page == space.next {
		window = min(2*space.window, limit)
	}
	space.window = window
	end := min(page+window<<pageShift, g.End, page&^(hugeBytes-1)+hugeBytes)
	end = gapEnd(n, page, end)
	space.next = end
	return end
}

// gapEnd returns the first page after page that is mapped, or end; page is not.
func gapEnd(n *node, page, end uint64) uint64 {
	for a := page + pageSize; a < end; a += pageSize {
		if *n.entryAt(a) != 0 {
			return a
		}
	}
	return end
}

// backOwn brings in pages [page, end) of memory of the domain's own. It fails
// only if it brings in none.
func backOwn(n *node, g *carrier.Region, page, end uint64) capability.Error {
	prot := native(g.Prot)
	for a := page; a < end; {
		var r record
		var dirty bool
		var err capability.Error
		if want := (end - a) >> pageShift; n.huge != 0 {
			r, dirty = takeHuge(n, a, want), true
		} else {
			r, dirty, err = takePages(want)
		}
		if err == capability.OK {
			first := prot
			if dirty || g.Kind == BackCopy {
				first = abi.ProtRead | abi.ProtWrite
			}
			if err = mapPages(n, a, r, first); err != capability.OK {
				unused(n, &r)
			}
		}
		if err != capability.OK {
			if a > page {
				err = capability.OK
			}
			return err
		}
		bytes := uint64(r.count) << pageShift
		if g.Kind == BackCopy {
			copy(bytesAt(a, bytes), bytesAt(abi.ArchiveBase+g.Offset+a-g.Start, bytes))
		} else if dirty {
			clear(bytesAt(a, bytes))
		}
		if (dirty || g.Kind == BackCopy) && prot&abi.ProtWrite == 0 {
			if err = protectIn(n, a, a+bytes, prot); err != capability.OK {
				return err
			}
		}
		a += bytes
	}
	return capability.OK
}

// unused gives back the memory of pages that could not be mapped.
func unused(n *node, r *record) {
	if r.kind == recordHuge {
		releaseHuge(n, uint64(r.count))
	} else {
		givePages(r.block, uint64(r.page), uint64(r.count))
	}
}

// populate brings in all pages of [start, end), which is mapped, as far as they
// can be accessed at all.
func populate(start, end uint64) capability.Error {
	for start < end {
		g, ok := space.regions.Find(start)
		if !ok {
			return capability.OK
		}
		stop := min(end, g.End)
		for a := start; a < stop && g.Prot != 0; {
			n, level := lowest(a)
			if n.large() {
				a = a&^(spanOf(level)-1) + spanOf(level)
				continue
			}
			if n.table == 0 || *n.entryAt(a) == 0 {
				space.next, space.window = a, maxArchiveWindow
				if err := back(&g, a); err != capability.OK {
					return err
				}
			}
			a += pageSize
		}
		start = stop
	}
	return capability.OK
}

// Write copies n bytes from an address of the libos's own, or of the archive, to
// the program's, which lies in regions of BackZero or BackCopy, whatever their
// protection. ErrFault if it lies in no such region.
func Write(address, from, n uint64) capability.Error {
	for n > 0 {
		page := address &^ pageMask
		part := min(n, page+pageSize-address)
		g, ok := space.regions.Find(address)
		if !ok || g.Kind != BackZero && g.Kind != BackCopy {
			return capability.ErrFault
		}
		if entryOf(page) == 0 {
			if err := back(&g, page); err != capability.OK {
				return err
			}
		}
		prot := entryOf(page).prot()
		if prot&abi.ProtWrite == 0 {
			if err := protectPage(page, abi.ProtRead|abi.ProtWrite); err != capability.OK {
				return err
			}
		}
		copy(bytesAt(address, part), bytesAt(from, part))
		if prot&abi.ProtWrite == 0 {
			if err := protectPage(page, prot); err != capability.OK {
				return err
			}
		}
		address, from, n = address+part, from+part, n-part
	}
	return capability.OK
}

// protectPage changes the protection of one page.
func protectPage(page, prot uint64) capability.Error {
	if err := splitAround(page, page+pageSize); err != capability.OK {
		return err
	}
	return protect(page, page+pageSize, prot)
}
