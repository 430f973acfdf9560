package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// userRange checks a page-aligned range that a domain names, in the parts of
// its address space that are its own to change.
func userRange(va, pages, most uint64) abi.Error {
	if va%abi.PageSize != 0 || va < 0x1000 {
		return abi.ErrArgument
	}
	if pages > most {
		return abi.ErrTooBig
	}
	end := va + pages*abi.PageSize
	if end < va {
		return abi.ErrArgument
	}
	if end <= abi.ProgramTop || va >= abi.LibosHeap && end <= abi.ArchiveBase {
		return abi.OK
	}
	return abi.ErrArgument
}

// userBits turns protection bits into those of an entry; W and X together are
// refused. With no access at all the page is kept but is not the user's.
func userBits(prot uint64) (uint64, abi.Error) {
	if prot&^(abi.ProtRead|abi.ProtWrite|abi.ProtExec) != 0 {
		return 0, abi.ErrArgument
	}
	if prot&abi.ProtWrite != 0 && prot&abi.ProtExec != 0 {
		return 0, abi.ErrRights
	}
	bits := amd64.Protection(prot)
	if prot != 0 {
		bits |= amd64.PageUser
	}
	return bits, abi.OK
}

func mapPages(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	va, n := a[0], a[1]
	if err := userRange(va, n, abi.MapMax); err != abi.OK {
		return 0, err
	}
	bits, err := userBits(a[2])
	if err != abi.OK {
		return 0, err
	}
	mapped := uint64(0)
	for i := range n {
		at := uintptr(va + i*abi.PageSize)
		if space(b).Lookup(&d.k.Pages, at) != 0 {
			continue
		}
		if _, err := d.back(b, at, bits); err != abi.OK {
			return mapped, err
		}
		mapped++
	}
	return mapped, abi.OK
}

func mapArchive(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	va, n, off := a[0], a[1], a[3]
	if err := userRange(va, n, abi.MapMax); err != abi.OK {
		return 0, err
	}
	if a[2]&abi.ProtWrite != 0 || a[2]&abi.ProtRead == 0 {
		return 0, abi.ErrRights
	}
	bits, err := userBits(a[2])
	if err != abi.OK {
		return 0, err
	}
	m := &d.k.Machine
	size := (m.ArchiveSize + abi.PageSize - 1) &^ (abi.PageSize - 1)
	if off%abi.PageSize != 0 || off > size || n*abi.PageSize > size-off {
		return 0, abi.ErrArgument
	}
	mapped := uint64(0)
	for i := range n {
		at := uintptr(va + i*abi.PageSize)
		if space(b).Lookup(&d.k.Pages, at) != 0 {
			continue
		}
		if !charge(b, 0) {
			return mapped, abi.ErrQuota
		}
		if err := d.install(b, at, memory.Phys(m.ArchivePhys+off+i*abi.PageSize), bits); err != abi.OK {
			return mapped, err
		}
		mapped++
	}
	return mapped, abi.OK
}

// flushMax is up to how many pages are dropped from the TLB one by one.
const flushMax = 16

// flush drops n pages from va on from the TLB, or all.
func (d *Driver) flush(va, n uint64) {
	if n > flushMax {
		amd64.SetCR3(uintptr(d.loaded))
		return
	}
	for i := range n {
		amd64.Invlpg(uintptr(va + i*abi.PageSize))
	}
}

func unmap(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	va, n := a[0], a[1]
	if err := userRange(va, n, abi.UnmapMax); err != abi.OK {
		return 0, err
	}
	present := uint64(0)
	first, last := uint64(0), uint64(0)
	space(b).Walk(&d.k.Pages, uintptr(va), uintptr(n), func(at uintptr, e uint64) uint64 {
		if e&amd64.PageShared != 0 {
			return e
		}
		if e&amd64.PageOwned != 0 {
			d.k.Pages.Free(amd64.Frame(e))
			b.Pages--
		}
		if present == 0 {
			first = uint64(at)
		}
		last = uint64(at)
		present++
		return 0
	})
	if present > 0 {
		d.flush(first, (last-first)/abi.PageSize+1)
	}
	return present, abi.OK
}

func protect(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	va, n := a[0], a[1]
	if err := userRange(va, n, abi.UnmapMax); err != abi.OK {
		return 0, err
	}
	bits, err := userBits(a[2])
	if err != abi.OK {
		return 0, err
	}
	changed, refused := uint64(0), false
	const software = amd64.PageOwned | amd64.PageShared
	space(b).Walk(&d.k.Pages, uintptr(va), uintptr(n), func(_ uintptr, e uint64) uint64 {
		if bits&amd64.PageWrite != 0 && e&amd64.PageOwned == 0 {
			refused = true // the archive's: nobody's to write
			return e
		}
		changed++
		return uint64(amd64.Frame(e)) | e&software | bits
	})
	if changed > 0 {
		d.flush(va, n)
	}
	if refused {
		return changed, abi.ErrRights
	}
	return changed, abi.OK
}
