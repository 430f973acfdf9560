// Package memory hands out the pages of RAM that one core owns.
//
// The parts of the CPU driver import it.
// It is freestanding: the kernel's own heap is paged from it, below the
// runtime. It never touches memory its core does not own.
package memory

import (
	"unsafe"

	"skerry/abi"
)

// Phys is a physical address.
type Phys uintptr

// Extent is a range of physical memory, page-aligned: [Base, End).
type Extent struct{ Base, End Phys }

// Pages returns how many pages the extent holds.
func (e Extent) Pages() uint64 { return uint64(e.End-e.Base) / abi.PageSize }

// MaxExtents is how many separate ranges of RAM a core can own.
const MaxExtents = 8

// Pages is the RAM of one core: the untouched rest of its extents, and a list
// of pages that were given back, threaded through the pages themselves. It
// lies in the KCB, holds no Go pointers, and is used by its core alone.
type Pages struct {
	// Offset is added to a physical address to reach the page.
	Offset uintptr

	extents [MaxExtents]Extent
	fresh   [MaxExtents]Phys // first never-used page of each extent
	count   int
	free    Phys // first page given back, 0 if none
	numFree uint64
	total   uint64
}

// Add gives the allocator an extent of RAM, of which everything below fresh is
// already in use. It reports whether there was room to note it.
func (p *Pages) Add(e Extent, fresh Phys) bool {
	if p.count == MaxExtents || e.End <= e.Base || fresh < e.Base || fresh > e.End {
		return false
	}
	p.extents[p.count], p.fresh[p.count] = e, fresh
	p.count++
	p.total += e.Pages()
	p.numFree += uint64(e.End-fresh) / abi.PageSize
	return true
}

// Alloc returns a page with undefined contents, or 0 when none is left.
func (p *Pages) Alloc() Phys {
	if a := p.free; a != 0 {
		p.free = *(*Phys)(p.at(a))
		p.numFree--
		return a
	}
	for i := range p.fresh {
		if i < p.count && p.fresh[i] < p.extents[i].End {
			a := p.fresh[i]
			p.fresh[i] += abi.PageSize
			p.numFree--
			return a
		}
	}
	return 0
}

// AllocZero returns a page of zeros, or 0 when none is left.
func (p *Pages) AllocZero() Phys {
	a := p.Alloc()
	if a != 0 {
		clear((*[abi.PageSize]byte)(p.at(a))[:])
	}
	return a
}

// AllocRun returns n consecutive pages, aligned to align bytes (a power of two,
// at least a page), with undefined contents, or 0. Runs come from memory never
// used before; what alignment skips stays free.
func (p *Pages) AllocRun(n uint64, align Phys) Phys {
	for i := range p.fresh {
		if i >= p.count {
			break
		}
		a := (p.fresh[i] + align - 1) &^ (align - 1)
		end := a + Phys(n*abi.PageSize)
		if a < p.fresh[i] || end < a || end > p.extents[i].End {
			continue
		}
		skipped := p.fresh[i]
		p.fresh[i] = end
		p.numFree -= n
		for ; skipped < a; skipped += abi.PageSize {
			p.numFree--
			p.Free(skipped)
		}
		return a
	}
	return 0
}

// Free takes back a page. The caller holds the only reference.
func (p *Pages) Free(a Phys) {
	*(*Phys)(p.at(a)) = p.free
	p.free = a
	p.numFree++
}

// Owns reports whether the page at a is one of this core's.
func (p *Pages) Owns(a Phys) bool {
	for i := range p.fresh {
		if i < p.count && p.extents[i].Base <= a && a < p.extents[i].End {
			return true
		}
	}
	return false
}

// Extents returns the number of extents; Extent returns the i-th.
func (p *Pages) Extents() int { return p.count }

// Extent returns the i-th extent.
func (p *Pages) Extent(i int) Extent { return p.extents[i] }

// Total and Available count pages owned and pages free.
func (p *Pages) Total() uint64 { return p.total }

// Available counts the free pages.
func (p *Pages) Available() uint64 { return p.numFree }

// At returns where the page at physical address a is seen.
func (p *Pages) At(a Phys) uintptr { return uintptr(a) + p.Offset }

func (p *Pages) at(a Phys) unsafe.Pointer { return unsafe.Pointer(uintptr(a) + p.Offset) }
