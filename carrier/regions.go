package carrier

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
)

// Region is a range of addresses that was mapped as one.
type Region struct {
	Start, End uint64 // half open, multiples of abi.PageSize
	Prot       uint32 // linux.PROT_…
	// Kind is the caller's: what backs the region; 0 is zeroes. Offset is
	// where in it Start lies; it means nothing when Kind is 0.
	Kind   uint32
	Offset uint64
	// Source and Flags are the caller's too: more about what backs the region,
	// and what it was told about it.
	Source, Flags uint32
}

// RegionSize is the size of a region in its table, in bytes.
const RegionSize = unsafe.Sizeof(Region{})

// SpareRegions is how many free entries a table must have for any change of it
// to succeed.
const SpareRegions = 2

// Regions is the set of mapped regions of an address window: sorted, disjoint,
// and merged where neighbours differ in nothing. Its zero value must be given
// memory with Init.
type Regions struct {
	base      uintptr
	n, limit  int
	low, high uint64
	last      int // where Find found something last
}

// Init makes r an empty set over the window [low, high), in memory at base for
// limit regions, of which only what is used is touched.
func (r *Regions) Init(base uintptr, limit int, low, high uint64) {
	*r = Regions{base: base, limit: limit, low: low, high: high}
}

// Extend lets the table grow to limit regions: the memory behind what Init was
// given belongs to it too.
func (r *Regions) Extend(limit int) { r.limit = limit }

// Len returns the number of regions, Spare how many more the table can hold.
func (r *Regions) Len() int { return r.n }

// Spare returns how many more regions the table can hold.
func (r *Regions) Spare() int { return r.limit - r.n }

// At returns region i, counted from the lowest address.
func (r *Regions) At(i int) Region { return *r.at(i) }

func (r *Regions) at(i int) *Region {
	return (*Region)(pointer(r.base + uintptr(i)*RegionSize))
}

// Contains says whether [start, start+size) lies in the window.
func (r *Regions) Contains(start, size uint64) bool {
	return start >= r.low && start <= r.high && size <= r.high-start
}

// search returns the number of the first region that ends above address.
func (r *Regions) search(address uint64) int {
	low, high := 0, r.n
	for low < high {
		middle := int(uint(low+high) / 2)
		if r.at(middle).End > address {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// Find returns the region that the address lies in.
func (r *Regions) Find(address uint64) (Region, bool) {
	if r.last < r.n {
		if g := r.at(r.last); address >= g.Start && address < g.End {
			return *g, true
		}
	}
	i := r.search(address)
	if i == r.n || r.at(i).Start > address {
		return Region{}, false
	}
	r.last = i
	return *r.at(i), true
}

// Next returns the first region that ends above the address.
func (r *Regions) Next(address uint64) (Region, bool) {
	i := r.search(address)
	if i == r.n {
		return Region{}, false
	}
	return *r.at(i), true
}

// Clear says whether nothing is mapped in [start, end).
func (r *Regions) Clear(start, end uint64) bool {
	i := r.search(start)
	return i == r.n || r.at(i).Start >= end
}

// Mapped says whether all of [start, end) is mapped.
func (r *Regions) Mapped(start, end uint64) bool {
	for i := r.search(start); start < end; i++ {
		if i == r.n || r.at(i).Start > start {
			return false
		}
		start = r.at(i).End
	}
	return true
}

// Place finds size free bytes, a multiple of the page size: at the hint if it
// is not 0 and they are free there, otherwise as high below ceiling as
// possible; ceiling 0 is the window's end.
func (r *Regions) Place(hint, size, ceiling uint64) (uint64, bool) {
	if size == 0 {
		return 0, false
	}
	hint &^= abi.PageSize - 1
	if hint != 0 && r.Contains(hint, size) && r.Clear(hint, hint+size) {
		return hint, true
	}
	end := r.high
	if ceiling != 0 && ceiling < end {
		end = ceiling
	}
	for i := r.n - 1; i >= 0; i-- {
		g := r.at(i)
		if g.End < end && end-g.End >= size {
			return end - size, true
		}
		if g.Start < end {
			end = g.Start
		}
	}
	if end >= r.low && end-r.low >= size {
		return end - size, true
	}
	return 0, false
}

// Map puts a region into the set, in place of whatever was there. It returns 0
// or a Linux error number: EINVAL for bounds that are not pages of the window
// or empty, ENOMEM when the table is full, and then nothing has changed.
func (r *Regions) Map(g Region) int64 {
	if !r.valid(g.Start, g.End) {
		return linux.EINVAL
	}
	return r.replace(g.Start, g.End, &g)
}

// Unmap takes [start, end) out of the set. It returns errors as Map does;
// unmapping what is not mapped is none.
func (r *Regions) Unmap(start, end uint64) int64 {
	if !r.valid(start, end) {
		return linux.EINVAL
	}
	return r.replace(start, end, nil)
}

// Protect changes the protection of [start, end). It returns errors as Map
// does, and ENOMEM if not all of it is mapped; then what lies below the first
// hole has been changed, as on Linux.
func (r *Regions) Protect(start, end uint64, prot uint32) int64 {
	if !r.valid(start, end) {
		return linux.EINVAL
	}
	for start < end {
		g, ok := r.Find(start)
		if !ok {
			return linux.ENOMEM
		}
		g = g.Clip(start, end)
		start = g.End
		if g.Prot == prot {
			continue
		}
		g.Prot = prot
		if errno := r.replace(g.Start, g.End, &g); errno != 0 {
			return errno
		}
	}
	return 0
}

func (r *Regions) valid(start, end uint64) bool {
	return start < end && (start|end)%abi.PageSize == 0 && r.Contains(start, end-start)
}

// Clip returns the part of g in [start, end), which must not be empty.
func (g Region) Clip(start, end uint64) Region {
	if start > g.Start {
		if g.Kind != 0 {
			g.Offset += start - g.Start
		}
		g.Start = start
	}
	if end < g.End {
		g.End = end
	}
	return g
}

// joins says whether h continues g and they differ in nothing.
func (g *Region) joins(h *Region) bool {
	return g.End == h.Start && g.Prot == h.Prot && g.Kind == h.Kind &&
		g.Source == h.Source && g.Flags == h.Flags &&
		(g.Kind == 0 || g.Offset+(g.End-g.Start) == h.Offset)
}

// pieces is what takes the place of some regions in the table.
type pieces struct {
	list [5]Region
	n    int
}

// add appends g, or lets the last piece grow by it.
func (p *pieces) add(g Region) {
	if p.n > 0 && p.list[p.n-1].joins(&g) {
		p.list[p.n-1].End = g.End
		return
	}
	p.list[p.n] = g
	p.n++
}

// replace puts g, or nothing if g is nil, in place of what is in [start, end).
func (r *Regions) replace(start, end uint64, g *Region) int64 {
	first := r.search(start)
	after := first
	var p pieces
	if first > 0 {
		first-- // the neighbour below may join
		p.add(*r.at(first))
	}
	if after < r.n && r.at(after).Start < start {
		p.add(r.at(after).Clip(0, start))
	}
	if g != nil {
		if g.Kind == 0 {
			g.Offset = 0
		}
		p.add(*g)
	}
	for after < r.n && r.at(after).Start < end {
		if r.at(after).End > end {
			p.add(r.at(after).Clip(end, ^uint64(0)))
		}
		after++
	}
	if after < r.n {
		p.add(*r.at(after)) // the neighbour above may join
		after++
	}
	n := r.n - (after - first) + p.n
	if n > r.limit {
		return linux.ENOMEM
	}
	if tail := r.n - after; tail > 0 && n != r.n {
		copy(r.slice(first+p.n, tail), r.slice(after, tail))
	}
	for i := range p.n {
		*r.at(first + i) = p.list[i]
	}
	r.n = n
	return 0
}

func (r *Regions) slice(i, n int) []Region { return unsafe.Slice(r.at(i), n) }
