package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// Bounds on how many pages one fault brings in. Pages of the archive, which cost
// an entry each, come in groups of archiveWindow, and so do copies of such, of
// zeroWindow; other pages one by one, until one comes next to others: then in
// groups too, and if faults go upwards in more and more.
const (
	archiveWindow = 64
	zeroWindow    = blockPages
	maxZeroWindow = 16
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

// Present says whether the page of an address is mapped with a protection.
func Present(address uint64, want uint32) bool {
	return address < Top() && present(address, want)
}

// Ahead has the fault that follows, at an address, bring in as many pages as one
// may: for those whose faults come from far.
func Ahead(address uint64) { space.next, space.window = address&^pageMask, maxZeroWindow }

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
	if g.Flags&flagHuge != 0 && g.Kind == BackZero && !space.replicated && backHuge(g, page) {
		return capability.OK
	}
	n, err := table(1, page)
	if err == capability.OK {
		start, end := window(n, g, page)
		if g.Kind == BackArchive {
			err = mapPages(n, start, record{
				source: capability.Base(capability.SlotArchive),
				page:   uint32((g.Offset + start - g.Start) >> pageShift),
				count:  uint16((end - start) >> pageShift),
				kind:   recordForeign,
			}, native(g.Prot&^linux.PROT_WRITE))
		} else {
			err = backOwn(n, g, page, start, end)
		}
		if n.used == 0 {
			emptied(page)
		}
		return err
	}
	prune(page)
	return err
}

// window returns the pages that a fault at one of them brings in, and notes where
// they end for the next fault. All lie in the region and the table, and none is
// mapped.
func window(n *node, g *carrier.Region, page uint64) (start, end uint64) {
	pages := uint64(zeroWindow)
	if g.Kind == BackArchive {
		pages = archiveWindow
	}
	group := pages << pageShift
	start = page &^ (group - 1)
	end = start + group
	switch {
	case g.Kind != BackZero:
	case page == space.next && space.window != 0:
		space.window = min(2*space.window, maxZeroWindow)
		end = (page + space.window<<pageShift + group - 1) &^ (group - 1)
	case scarce() || !near(n, start, end):
		space.window = 1
		start, end = page, page+pageSize
	default:
		space.window = zeroWindow
	}
	start, end = gap(n, page, max(start, g.Start), min(end, g.End, page&^(hugeBytes-1)+hugeBytes))
	space.next = end
	return start, end
}

// scarce reports whether pages should come one by one: the last memory or slots are
// in use, or others have left holes that are to be filled first.
func scarce() bool {
	if space.replicated {
		return space.freeFrames == 0 && space.partial == 0 || space.freeSlots < maxZeroWindow
	}
	return space.freeBlocks == 0 || space.freeSlots < maxZeroWindow || space.freePages > blockPages+space.own/8
}

// near reports whether a page of a group is mapped, or one next to it, as far as the
// table of a node says.
func near(n *node, start, end uint64) bool {
	if n.used == 0 {
		return false
	}
	base := start &^ (hugeBytes - 1)
	for a := max(start, base+pageSize) - pageSize; a < min(end+pageSize, base+hugeBytes); a += pageSize {
		if *n.entryAt(a) != 0 {
			return true
		}
	}
	return false
}

// gap returns those of the pages [start, end) around a page that lie between it
// and the next ones that are mapped; it is not.
func gap(n *node, page, start, end uint64) (uint64, uint64) {
	first, last := page, page+pageSize
	for first > start && *n.entryAt(first - pageSize) == 0 {
		first -= pageSize
	}
	for last < end && *n.entryAt(last) == 0 {
		last += pageSize
	}
	return first, last
}

// backOwn brings in pages [start, end) of memory of the domain's own. It fails
// only if it does not bring in page, which is one of them.
func backOwn(n *node, g *carrier.Region, page, start, end uint64) capability.Error {
	prot := native(g.Prot)
	for a := start; a < end; {
		var r record
		var dirty bool
		var err capability.Error
		if want := (end - a) >> pageShift; n.huge != 0 {
			r, dirty = takeHuge(n, a, want), true
		} else {
			r, dirty, err = takePages(want)
		}
		if err == capability.OK && space.shared && (dirty || g.Kind == BackCopy) {
			// Others may use the pages from when they are mapped on.
			if err = fill(&r, g, a); err != capability.OK {
				unused(n, &r)
			} else if err = mapPages(n, a, r, prot); err != capability.OK {
				unused(n, &r)
			} else {
				a += uint64(r.count) << pageShift
				continue
			}
		} else if err == capability.OK {
			first := prot
			if dirty || g.Kind == BackCopy {
				first = abi.ProtRead | abi.ProtWrite
			}
			if err = mapPages(n, a, r, first); err != capability.OK {
				unused(n, &r)
			}
		}
		if err != capability.OK {
			switch {
			case a < page:
				a, end = page, page+pageSize // it may do for that
				continue
			case a > page:
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

// fill gives pages what they are to hold at an address of a region, before they
// are mapped there: through a window that the libos alone sees.
func fill(r *record, g *carrier.Region, address uint64) capability.Error {
	window := space.tables + windowAt + pageSize
	*at[uint64](window - pageSize) = 0 // now there is a table
	m, err := slot()
	if err != capability.OK {
		return err
	}
	table, count, taken := knownTable(1, window).table, uint64(r.count), space.taken
	err = mapEntries(table, window>>pageShift%tableEntries, count, r.source, m, uint64(r.page)<<pageShift, abi.ProtRead|abi.ProtWrite)
	if err != capability.OK {
		freeSlot(m)
		return err
	}
	if memory := bytesAt(window, count<<pageShift); g.Kind == BackCopy {
		copy(memory, bytesAt(abi.ArchiveBase+g.Offset+address-g.Start, count<<pageShift))
	} else {
		clear(memory)
	}
	err = unmapAll(m, count, window)
	if err == capability.OK {
		freeSlot(m)
	}
	space.taken = taken // no other core has seen the window
	return err
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
				space.next, space.window = a, maxZeroWindow
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
