package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// tableEntries is the number of entries of a page table.
const tableEntries = 512

// flushMax is up to how many pages are dropped from the TLB one by one.
const flushMax = 16

// entries are some that lie side by side in one page table.
type entries struct {
	first memory.Phys
	count uint64
	level uint // of a PageTable1 0: an entry is a page of 4 KiB
}

func levelOf(table capability.Type) uint { return uint(table - capability.PageTable1) }

// isPage reports whether an entry of a level that is present is a page's, rather
// than a table's.
func isPage(e uint64, level uint) bool { return level == 0 || e&amd64.PageLarge != 0 }

// entryBits turns protection bits into those of a user's entry, given what a
// capability's rights allow. Write and execute together are refused. Whatever
// is present can be read. Without any protection bit the page is kept, but is
// not the user's.
func entryBits(prot uint64, rights capability.Rights) (uint64, capability.Error) {
	need := capability.Rights(prot)
	if prot != 0 {
		need |= capability.RightRead
	}
	if need&^rights != 0 || prot&abi.ProtWrite != 0 && prot&abi.ProtExec != 0 {
		return 0, capability.ErrRights
	}
	bits := amd64.Protection(prot)
	if prot != 0 {
		bits |= amd64.PageUser
	}
	return bits, capability.OK
}

// The rights that protection bits need are the bits themselves.
var _ = [1]struct{}{}[(abi.ProtRead^capability.RightRead)|(abi.ProtWrite^capability.RightWrite)|(abi.ProtExec^capability.RightExecute)]

// mapEntries maps a part of a frame, or a table, into a page table.
func mapEntries(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	s := &d.cap
	e := entries{count: a[0] >> 32, level: levelOf(s.TypeOf(slot))}
	if s.Imported(slot) {
		return 0, capability.ErrRemote
	}
	first, most := a[0]&(1<<32-1), uint64(tableEntries)
	if e.level == 3 {
		most /= 2 // the other half is the kernel's
	}
	if e.count == 0 || first >= most || e.count > most-first {
		return 0, capability.ErrRange
	}
	e.first = memory.Phys(s.BaseOf(slot) + 8*first)
	source, err := s.Lookup(d.cspace, capability.Reference(a[1]), 0)
	if err != capability.OK {
		return 0, err
	}
	to, err := s.Vacancy(d.cspace, capability.Reference(a[2]), capability.Mapping)
	if err != capability.OK {
		return 0, err
	}
	entry, err := d.entryFor(source, &e, a[3], a[4])
	if err != capability.OK {
		return 0, err
	}
	words := amd64.Entries(&d.k.Pages, e.first, e.count)
	for _, old := range words {
		if old != 0 {
			return 0, capability.ErrInUse
		}
	}
	if entry&amd64.PageForeign != 0 && d.hasTable(memory.Phys(s.BaseOf(slot)), amd64.Frame(entry)) {
		return 0, capability.ErrInUse
	}
	if err := s.Map(to, slot, source, first, e.count); err != capability.OK {
		return 0, err
	}
	span := uint64(amd64.Span(e.level))
	for i := range words {
		words[i] = entry
		entry += span
	}
	return 0, capability.OK
}

// entryFor checks that the object in a slot can be mapped from an offset on, and
// returns the first entry that does it. Each that follows leads further by what
// an entry spans.
func (d *Driver) entryFor(source memory.Phys, e *entries, offset, prot uint64) (uint64, capability.Error) {
	s := &d.cap
	t, rights := s.TypeOf(source), s.RightsOf(source)
	base, end := s.BaseOf(source), s.BaseOf(source)+s.SizeOf(source)
	large := uint64(0)
	switch {
	case t == capability.Frame, t == capability.DeviceFrame:
		if e.level > 2 || e.level == 2 && !amd64.CPU.GiantPages {
			return 0, capability.ErrType
		}
		if e.level > 0 {
			large = amd64.PageLarge
		}
		if t == capability.DeviceFrame {
			large |= amd64.PageUncached
		}
	case t == capability.Dispatcher && e.level == 0:
		// What it shares with its user is the user's to write.
		if rights&capability.RightControl == 0 {
			return 0, capability.ErrRights
		}
		rights = capability.RightRead | capability.RightWrite
		base, end = base+kcb.SharedAt, base+kcb.SharedAt+abi.DispatcherSize
		if offset < kcb.SharedAt {
			return 0, capability.ErrRange
		}
		offset -= kcb.SharedAt
	case e.level > 0 && t == capability.PageTable1+capability.Type(e.level-1):
		if rights&capability.RightControl == 0 {
			return 0, capability.ErrRights
		}
		if e.count != 1 || offset != 0 {
			return 0, capability.ErrRange
		}
		if s.Imported(source) {
			return base | amd64.TableEntry | amd64.PageForeign, capability.OK
		}
		return base | amd64.TableEntry, capability.OK
	default:
		return 0, capability.ErrType
	}
	bits, err := entryBits(prot, rights)
	if err != capability.OK {
		return 0, err
	}
	span := uint64(amd64.Span(e.level))
	if offset > end-base || e.count > (end-base-offset)/span || (base+offset)%span != 0 {
		return 0, capability.ErrRange
	}
	return base + offset | bits | large, capability.OK
}

// clear clears those of some entries that lead into [base, base+size). It
// reports whether there were any, and whether all of them were pages'. Other
// cores may know them until they are told to forget.
func (d *Driver) clear(e entries, base, size uint64) (changed, pages bool) {
	pages = true
	words := amd64.Entries(&d.k.Pages, e.first, e.count)
	for i, old := range words {
		if old != 0 && uint64(amd64.Frame(old))-base < size {
			words[i] = 0
			changed, pages = true, pages && isPage(old, e.level)
		}
	}
	if changed {
		d.k.Shootdown.Taken()
	}
	return changed, pages
}

// part returns the entries of the mapping in a slot from number first on; count
// 0 says all from there. table is Null, and the entries none of the mapping's,
// if the table they were in has gone.
func (d *Driver) part(slot memory.Phys, first, count uint64) (e entries, all bool, table capability.Type, err capability.Error) {
	at, n, table := d.cap.MappingOf(slot)
	if count == 0 && first == 0 {
		count = n
	}
	if count == 0 || first >= n || count > n-first {
		return e, false, table, capability.ErrRange
	}
	return entries{at + memory.Phys(8*first), count, levelOf(table)}, count == n, table, capability.OK
}

// mappingUnmap clears entries of a mapping; it deletes the mapping if these are
// all that it was made with.
func mappingUnmap(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	e, all, table, err := d.part(slot, a[0], a[1])
	if err != capability.OK {
		return 0, err
	}
	if table != capability.Null {
		if changed, pages := d.clear(e, d.cap.BaseOf(slot), d.cap.SizeOf(slot)); changed && pages {
			d.flush(e, uintptr(a[2]))
		} else if changed {
			d.stale = true
		}
	}
	if all {
		d.cap.Unmap(slot)
	}
	return 0, capability.OK
}

// mappingProtect changes what may be done with pages of a mapping.
func mappingProtect(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	e, _, table, err := d.part(slot, a[0], a[1])
	if err != capability.OK {
		return 0, err
	}
	bits, err := entryBits(a[2], d.cap.RightsOf(slot))
	if err != capability.OK || table == capability.Null {
		return 0, err
	}
	base, size := d.cap.BaseOf(slot), d.cap.SizeOf(slot)
	kept := uint64(amd64.PageUncached)
	if e.level > 0 {
		kept |= amd64.PageLarge
	}
	changed, narrowed := false, false
	words := amd64.Entries(&d.k.Pages, e.first, e.count)
	for i, old := range words {
		if old == 0 || uint64(amd64.Frame(old))-base >= size || !isPage(old, e.level) {
			continue
		}
		words[i] = uint64(amd64.Frame(old)) | old&kept | bits
		changed, narrowed = true, narrowed || allows(old)&^allows(bits) != 0
	}
	if narrowed {
		d.k.Shootdown.Taken()
	}
	if changed {
		d.flush(e, uintptr(a[3]))
	}
	return 0, capability.OK
}

// allows returns what the entry of a page allows a user, as bits of which more
// allow more.
func allows(e uint64) uint64 {
	return e&(amd64.PageWrite|amd64.PageUser) | ^e&amd64.PageNX
}

// flush makes the processor forget translations by pages' entries that have
// changed, which the loaded address space may have at an address.
func (d *Driver) flush(e entries, address uintptr) {
	switch {
	case d.stale:
	case e.count > flushMax || !d.leads(address, e):
		d.stale = true
	default:
		for i := range uintptr(e.count) {
			invlpg(address + i*amd64.Span(e.level))
		}
	}
}

// leads reports whether the loaded address space has the first of some entries
// at an address. Then it has them there alone: a table is in one place only.
func (d *Driver) leads(address uintptr, e entries) bool {
	at, level := amd64.Space{Root: d.loaded}.Find(&d.k.Pages, address)
	return at == e.first && level == e.level
}
