// Package memory hands out the pages of RAM that a kernel keeps for itself.
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

// Size returns how many bytes the extent holds.
func (e Extent) Size() uint64 { return uint64(e.End - e.Base) }

// MaxExtents is how many separate ranges of RAM a core can own at its start.
const MaxExtents = 31

// Pages is the RAM that a kernel has for itself: the untouched rest of its
// extents, and a list of pages that were given back, threaded through the pages
// themselves. While the kernel starts that is all the core's RAM; then Keep
// leaves it a reserve. It lies in the KCB, holds no Go pointers, and is used by
// its core alone.
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

// Keep keeps n free pages, if there are so many, and passes all others that
// were never used to give, in as few extents as they lie in. From then on those
// are not the allocator's.
func (p *Pages) Keep(n uint64, give func(Extent)) {
	fresh := uint64(0)
	for i := range p.count {
		fresh += Extent{p.fresh[i], p.extents[i].End}.Pages()
	}
	n -= min(n, p.numFree-fresh) // those given back are kept
	kept := 0
	for i := range p.count {
		e := Extent{p.fresh[i], p.extents[i].End}
		here := min(n, e.Pages())
		n -= here
		e.Base += Phys(here * abi.PageSize)
		p.extents[i].End = e.Base
		p.total -= e.Pages()
		p.numFree -= e.Pages()
		if e.Base < e.End {
			give(e)
		}
		if p.extents[i].Pages() > 0 {
			p.extents[kept], p.fresh[kept] = p.extents[i], p.fresh[i]
			kept++
		}
	}
	p.count = kept
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

// Extents returns the number of extents; Extent returns the i-th.
func (p *Pages) Extents() int { return p.count }

// Extent returns the i-th extent.
func (p *Pages) Extent(i int) Extent { return p.extents[i] }

// Total counts the pages that the allocator has, free or not.
func (p *Pages) Total() uint64 { return p.total }

// Available counts the free pages.
func (p *Pages) Available() uint64 { return p.numFree }

// At returns where the page at physical address a is seen.
func (p *Pages) At(a Phys) uintptr { return uintptr(a) + p.Offset }

func (p *Pages) at(a Phys) unsafe.Pointer { return unsafe.Pointer(uintptr(a) + p.Offset) }
