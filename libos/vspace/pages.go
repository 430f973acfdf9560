package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
)

// entry says how a page is mapped: 0 if it is not, otherwise by which mapping,
// as which of its pages, and with which protection.
type entry uint64

const (
	entryIndex         = 32 // where the index of the page in its mapping stands
	entryProt          = 48
	entryHolders       = 51 // where the holders stand, in a space that is replicated
	entryPresent entry = 1 << 63
	indexMask          = tableEntries - 1
	protMask           = abi.ProtRead | abi.ProtWrite | abi.ProtExec
)

func makeEntry(m capability.Reference, index, prot uint64) entry {
	return entryPresent | entry(prot)<<entryProt | entry(index)<<entryIndex | entry(m)
}

func (e entry) mapping() capability.Reference { return capability.Reference(uint32(e)) }
func (e entry) index() uint64                 { return uint64(e>>entryIndex) & indexMask }
func (e entry) prot() uint64                  { return uint64(e>>entryProt) & protMask }
func (e entry) withProt(prot uint64) entry {
	return e&^(protMask<<entryProt) | entry(prot)<<entryProt
}

// native is what a protection asks of page tables: on amd64 whatever can be
// written or executed can be read.
func native(prot uint32) uint64 {
	p := uint64(prot) & protMask
	if p != 0 {
		p |= abi.ProtRead
	}
	return p
}

// entryAt returns the entry of a page that the table of a node of level 1 serves.
func (n *node) entryAt(address uint64) *entry {
	return at[entry](leafAt(n.leaf) + address>>pageShift%tableEntries*8)
}

// entryOf returns the entry of the page of an address; of a large page one that
// stands for all of it.
func entryOf(address uint64) entry {
	n, _ := lowest(address)
	switch {
	case n.table != 0:
		return *n.entryAt(address)
	case n.mapping != 0:
		return makeEntry(n.mapping, 0, uint64(n.prot))
	}
	return 0
}

// mapPages maps pages as a record says, from an address on, in the table of a
// node: nothing is mapped there, and the table has so many entries left.
func mapPages(n *node, address uint64, r record, prot uint64) capability.Error {
	m, err := slot()
	if err != capability.OK {
		return err
	}
	if err = mapInto(n, address, m, r, prot); err != capability.OK {
		freeSlot(m)
		return err
	}
	n.used += r.count
	counted(&r, uint64(r.count))
	return capability.OK
}

// mapInto is mapPages with a slot for the mapping, and counts nothing.
func mapInto(n *node, address uint64, m capability.Reference, r record, prot uint64) capability.Error {
	first, count := address>>pageShift%tableEntries, uint64(r.count)
	err := mapEntries(n.table, first, count, r.source, m, uint64(r.page)<<pageShift, prot)
	if err != capability.OK {
		return err
	}
	*recordAt(m) = r
	e := makeEntry(m, 0, prot)
	for i := range count {
		*n.entryAt(address + i<<pageShift) = e + entry(i)<<entryIndex
	}
	return capability.OK
}

// counted counts pages that are now mapped.
func counted(r *record, pages uint64) {
	space.resident += pages
	space.max = max(space.max, space.resident)
	if r.kind != recordForeign {
		space.own += pages
	}
}

// released gives back the memory of pages that are mapped no longer, the first
// of which was page of a mapping with this record; n is their node.
func released(n *node, r *record, page, count uint64) {
	n.used -= uint16(count)
	space.resident -= count
	switch r.kind {
	case recordChunk:
		space.own -= count
		givePages(r.block, uint64(r.page)+page, count)
	case recordHuge:
		space.own -= count
		releaseHuge(n, count)
	}
}

// unmap takes away the pages in [start, end). Huge pages must not reach over its
// bounds: see split. Only the first thing that it does can fail, so that nothing
// has changed then.
func unmap(start, end uint64) capability.Error {
	for a := start; a < end; {
		n, level := lowest(a)
		if n.table != 0 {
			next, err := unmapIn(n, a, min(end, a&^(hugeBytes-1)+hugeBytes))
			if err != capability.OK {
				return err
			}
			if n.used == 0 {
				emptied(a)
			}
			a = next
			continue
		}
		if n.mapping != 0 {
			unmapLarge(n, level, a)
		}
		a = a&^(spanOf(level)-1) + spanOf(level)
	}
	return capability.OK
}

// unmapIn takes away the pages in [start, end), which the table of a node serves.
// It returns the end of what it looked at: there is nothing from there to end.
func unmapIn(n *node, start, end uint64) (uint64, capability.Error) {
	for a := start; a < end && n.used != 0; {
		e := *n.entryAt(a)
		if e == 0 {
			a += pageSize
			continue
		}
		count := uint64(recordAt(e.mapping()).count)
		first := a - e.index()<<pageShift
		low, high := e.index(), min(count, (end-first)>>pageShift)
		if err := cut(n, first, e.mapping(), low, high); err != capability.OK {
			return a, err
		}
		a = first + high<<pageShift
	}
	return end, capability.OK
}

// cut takes pages [low, high) of a mapping away, whose first page is at an
// address. What is left is mapped anew, so that mappings stay whole. It fails
// only if there is no slot for the second of two parts that are left, and
// changes nothing then.
func cut(n *node, first uint64, m capability.Reference, low, high uint64) capability.Error {
	r := *recordAt(m)
	count := uint64(r.count)
	var second capability.Reference
	if low > 0 && high < count {
		var err capability.Error
		if second, err = slot(); err != capability.OK {
			return err
		}
	}
	if unmapAll(m, count, first) != capability.OK {
		// It stays: better pages too many than a page in two places.
		if second != 0 {
			freeSlot(second)
		}
		return capability.ErrState
	}
	if space.replicated {
		took(n, first+low<<pageShift, first+high<<pageShift)
	}
	for i := low; i < high; i++ {
		*n.entryAt(first + i<<pageShift) = 0
	}
	switch {
	case low > 0:
		again(n, first, m, r, 0, low)
		if high < count {
			again(n, first, second, r, high, count)
		}
	case high < count:
		again(n, first, m, r, high, count)
	default:
		freeSlot(m)
	}
	released(n, &r, low, high-low)
	return capability.OK
}

// again maps pages [low, high) of what was a mapping, with the protections that
// their entries say. If what they were is gone, because its capability was
// revoked, so are the pages.
func again(n *node, first uint64, m capability.Reference, r record, low, high uint64) {
	a, count := first+low<<pageShift, high-low
	r.page += uint32(low)
	r.count = uint16(count)
	prot := n.entryAt(a).prot()
	if mapEntries(n.table, a>>pageShift%tableEntries, count, r.source, m, uint64(r.page)<<pageShift, prot) != capability.OK {
		if space.replicated {
			took(n, a, a+count<<pageShift)
		}
		for i := range count {
			*n.entryAt(a + i<<pageShift) = 0
		}
		freeSlot(m)
		released(n, &r, 0, count)
		return
	}
	*recordAt(m) = r
	for i := uint64(0); i < count; {
		p, j := n.entryAt(a+i<<pageShift).prot(), i
		for j < count && n.entryAt(a+j<<pageShift).prot() == p {
			e := n.entryAt(a + j<<pageShift)
			*e = makeEntry(m, j, p) | *e&holdersMask
			j++
		}
		if p != prot && protectEntries(m, i, j-i, p, a+i<<pageShift) != capability.OK {
			for ; i < j; i++ { // a fault will try again
				e := n.entryAt(a + i<<pageShift)
				*e = makeEntry(m, i, prot) | *e&holdersMask
			}
		}
		i = j
	}
}

// protect changes the protection of the pages in [start, end). Huge pages must
// not reach over its bounds: see split.
func protect(start, end, prot uint64) capability.Error {
	for a := start; a < end; {
		n, level := lowest(a)
		if n.table != 0 {
			next := min(end, a&^(hugeBytes-1)+hugeBytes)
			if n.used != 0 {
				if err := protectIn(n, a, next, prot); err != capability.OK {
					return err
				}
			}
			a = next
			continue
		}
		base, span := a&^(spanOf(level)-1), spanOf(level)
		if n.mapping != 0 {
			if base < start || base+span > end {
				unmapLarge(n, level, a) // of a frame: it comes back in parts
			} else if uint64(n.prot) != prot {
				if err := protectEntries(n.mapping, 0, 1, prot, base); err != capability.OK {
					return err
				}
				n.prot = uint8(prot)
			}
		}
		a = base + span
	}
	return capability.OK
}

// protectIn changes the protection of the pages in [start, end), which the table
// of a node serves.
func protectIn(n *node, start, end, prot uint64) capability.Error {
	for a := start; a < end; {
		e := *n.entryAt(a)
		if e == 0 || e.prot() == prot {
			a += pageSize
			continue
		}
		after := a + pageSize
		for after < end && n.entryAt(after).mapping() == e.mapping() {
			after += pageSize
		}
		if err := protectEntries(e.mapping(), e.index(), (after-a)>>pageShift, prot, a); err != capability.OK {
			return err
		}
		if space.replicated {
			narrowed(n, a, after, prot)
		}
		for ; a < after; a += pageSize {
			p := n.entryAt(a)
			*p = p.withProt(prot)
		}
	}
	return capability.OK
}
