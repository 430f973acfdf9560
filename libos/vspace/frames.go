package vspace

import (
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// MapFrame maps size bytes of the Frame or DeviceFrame at a reference, from an
// offset on, at an address, or anywhere if that is 0; prot is linux.PROT_…. It
// is a region then as one of mmap, and what was there is gone. It returns the
// address or a negated error number: EINVAL, EACCES, ENOMEM; ENOENT if there is nothing in the
// slot, or what there is is being taken away; EOPNOTSUPP in a space that is replicated, where
// other dispatchers could not map the frame.
func MapFrame(address uint64, source capability.Reference, offset, size uint64, prot uint32) int64 {
	if size == 0 || (address|offset|size)&pageMask != 0 || prot&^protAll != 0 {
		return -linux.EINVAL
	}
	if space.replicated {
		return -linux.EOPNOTSUPP
	}
	if err := identify(source); err != capability.OK {
		return mapErrno(err, linux.EINVAL)
	}
	d := &description
	if d.Type != capability.Frame && d.Type != capability.DeviceFrame || d.Ready == 0 ||
		offset > d.Size || size > d.Size-offset {
		return -linux.EINVAL
	}
	g := carrier.Region{Prot: prot, Kind: BackFrame, Source: uint32(source), Offset: offset, Flags: flagShared}
	if d.Rights&capability.RightWrite == 0 {
		g.Flags |= flagNoWrite
	}
	if d.Rights&capability.RightExecute == 0 {
		g.Flags |= flagNoExecute
	}
	if prot&protBoth == protBoth || d.Rights&capability.RightRead == 0 && prot != 0 ||
		prot&linux.PROT_WRITE != 0 && g.Flags&flagNoWrite != 0 ||
		prot&linux.PROT_EXEC != 0 && g.Flags&flagNoExecute != 0 {
		return -linux.EACCES
	}
	physical := d.Base + offset
	if address == 0 {
		place, ok := placeFrame(physical, size)
		if !ok {
			return -linux.ENOMEM
		}
		address = place
	} else if !space.regions.Contains(address, size) {
		return -linux.EINVAL
	}
	g.Start, g.End = address, address+size
	if e := MapRegion(g); e != 0 {
		return -e
	}
	if err := populate(g.Start, g.End); err != capability.OK {
		Munmap(address, size)
		return mapErrno(err, linux.ENOMEM)
	}
	settle()
	return int64(address)
}

// mapErrno is why a frame cannot be mapped: that it is not there, however late that was found,
// or other.
func mapErrno(err capability.Error, other int64) int64 {
	if err == capability.ErrEmpty || err == capability.ErrRevoking {
		return -linux.ENOENT
	}
	return -other
}

// placeFrame finds free addresses for memory at a physical address, so that the
// largest pages can be used that its size allows.
func placeFrame(physical, size uint64) (uint64, bool) {
	for level := uint64(2); level > 0; level-- {
		span := spanOf(level)
		if size < span {
			continue
		}
		if place, ok := space.regions.Place(0, size+span, 0); ok {
			return place + (physical-place)&(span-1), true
		}
	}
	return space.regions.Place(0, size, 0)
}

// backFrame brings in the page of an address of a region of a frame, by the
// largest page that is possible, and else all small ones that its table can map
// until the next one that is.
func backFrame(g *carrier.Region, page uint64) capability.Error {
	source := capability.Reference(g.Source)
	if err := identify(source); err != capability.OK {
		return err
	}
	for level := uint64(2); level > 0; level-- {
		if ok, err := backLarge(g, level, page, description.Base); ok || err != capability.OK {
			return err
		}
	}
	n, err := table(1, page)
	if err != capability.OK {
		prune(page)
		return err
	}
	_, end := gap(n, page, page, min(g.End, page&^(hugeBytes-1)+hugeBytes))
	err = mapPages(n, page, record{
		source: source,
		page:   uint32((g.Offset + page - g.Start) >> pageShift),
		count:  uint16((end - page) >> pageShift),
		kind:   recordForeign,
	}, native(g.Prot))
	if n.used == 0 {
		emptied(page)
	}
	return err
}

// backLarge maps the large page of a level at an address, if the region, its
// frame, which is at a physical address, and what is mapped there allow.
func backLarge(g *carrier.Region, level, address, physical uint64) (bool, capability.Error) {
	span := spanOf(level)
	base := address &^ (span - 1)
	offset := g.Offset + base - g.Start
	if base < g.Start || g.End-base < span || (offset|physical)&(span-1) != 0 {
		return false, capability.OK
	}
	above, err := table(level+1, base)
	if err != capability.OK {
		prune(base)
		return false, err
	}
	n := nodeOf(level, base)
	if n.used != 0 || level > 1 && n.table != 0 || !vacate(n, above, base) {
		return false, capability.OK
	}
	above.used++ // at once, so that trim does not take it away
	m, err := slot()
	if err == capability.OK {
		err = mapEntries(above.table, base/span%tableEntries, 1, capability.Reference(g.Source), m, offset, native(g.Prot))
		if err != capability.OK {
			freeSlot(m)
		}
	}
	switch {
	case err == capability.OK:
		*n = node{mapping: m, prot: uint8(native(g.Prot))}
		counted(&record{kind: recordForeign}, span>>pageShift)
		return true, capability.OK
	case level > 1:
		err = capability.OK // the processor may not have pages so large
	}
	above.used--
	if above.used == 0 {
		prune(base)
	}
	return false, err
}
