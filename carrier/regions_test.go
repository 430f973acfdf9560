package carrier

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
)

const page = abi.PageSize

// table is memory for a table under test; it must be kept alive.
func table(bytes uintptr) (memory []uint64, base uintptr) {
	memory = make([]uint64, bytes/8+1)
	return memory, uintptr(unsafe.Pointer(&memory[0]))
}

// modelPage is what the naive model knows of a page.
type modelPage struct {
	mapped     bool
	prot, kind uint32
	flags      uint32
	offset     uint64
}

// TestRegionsModel compares random operations with a map of single pages.
func TestRegionsModel(t *testing.T) {
	const pages, low = 64, 16 * page
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		memory, base := table(pages * RegionSize)
		var r Regions
		r.Init(base, pages, low, low+pages*page)
		var model [pages]modelPage
		for step := range 200 {
			first := random.IntN(pages)
			n := 1 + random.IntN(pages-first)
			if random.IntN(2) == 0 {
				n = min(n, 3)
			}
			start, end := uint64(low+first*page), uint64(low+(first+n)*page)
			prot := uint32(random.IntN(3))
			switch random.IntN(4) {
			case 0, 1:
				g := Region{Start: start, End: end, Prot: prot, Kind: uint32(random.IntN(3)), Offset: uint64(random.IntN(2) * first * page),
					Source: uint32(random.IntN(2)), Flags: uint32(random.IntN(2))}
				if errno := r.Map(g); errno != 0 {
					t.Fatalf("seed %d: Map: %d", seed, errno)
				}
				for i := range n {
					m := modelPage{mapped: true, prot: prot, kind: g.Kind, flags: g.Flags<<1 | g.Source}
					if g.Kind != 0 {
						m.offset = g.Offset + uint64(i*page)
					}
					model[first+i] = m
				}
			case 2:
				if errno := r.Unmap(start, end); errno != 0 {
					t.Fatalf("seed %d: Unmap: %d", seed, errno)
				}
				clear(model[first : first+n])
			case 3:
				whole := true
				for i := first; i < first+n; i++ {
					if whole = whole && model[i].mapped; whole {
						model[i].prot = prot
					}
				}
				if errno := r.Protect(start, end, prot); (errno == 0) != whole || errno != 0 && errno != linux.ENOMEM {
					t.Fatalf("seed %d: Protect: %d, all mapped: %v", seed, errno, whole)
				}
			}
			check(t, &r, model[:], low)
			if t.Failed() {
				t.Fatalf("seed %d step %d", seed, step)
			}
			// Placement: free where it says, and a free hint is taken.
			size := uint64(1+random.IntN(8)) * page
			hint := uint64(low + random.IntN(pages)*page)
			place, ok := r.Place(hint, size, 0)
			fits := func(at uint64) bool {
				for a := at; a < at+size; a += page {
					if a < low || a >= low+pages*page || model[(a-low)/page].mapped {
						return false
					}
				}
				return true
			}
			highest := uint64(0)
			for a := uint64(low); a < low+pages*page; a += page {
				if fits(a) {
					highest = a
				}
			}
			switch {
			case !ok && highest != 0:
				t.Fatalf("seed %d: Place finds nothing, %#x is free", seed, highest)
			case ok && fits(hint) && place != hint:
				t.Fatalf("seed %d: Place does not honour a free hint", seed)
			case ok && !fits(hint) && place != highest:
				t.Fatalf("seed %d: Place at %#x, want %#x", seed, place, highest)
			}
			if got := r.Mapped(start, end); got == r.Clear(start, end) && got {
				t.Fatal("Mapped and Clear")
			}
		}
		_ = memory[0]
	}
}

// check compares the set with the model and verifies order and merging.
func check(t *testing.T, r *Regions, model []modelPage, low uint64) {
	t.Helper()
	for i, m := range model {
		g, ok := r.Find(low + uint64(i*page) + uint64(i))
		if next, any := r.Next(low + uint64(i*page)); m.mapped && next != g || any && next.End <= low+uint64(i*page) {
			t.Errorf("page %d: %+v is next, found %+v", i, next, g)
		}
		if ok != m.mapped {
			t.Errorf("page %d: found %v, mapped %v", i, ok, m.mapped)
			continue
		}
		if ok && (g.Prot != m.prot || g.Kind != m.kind || g.Flags<<1|g.Source != m.flags) {
			t.Errorf("page %d: %+v, want %+v", i, g, m)
		}
		if ok && m.kind != 0 && g.Offset+(low+uint64(i*page)-g.Start) != m.offset {
			t.Errorf("page %d: offset %#x, want %#x", i, g.Offset+(low+uint64(i*page)-g.Start), m.offset)
		}
	}
	for i := range r.Len() {
		g := r.At(i)
		if g.Start >= g.End {
			t.Errorf("empty region %+v", g)
		}
		if i > 0 {
			below := r.At(i - 1)
			if below.End > g.Start {
				t.Errorf("regions %+v and %+v overlap", below, g)
			}
			if below.joins(&g) {
				t.Errorf("regions %+v and %+v are not merged", below, g)
			}
		}
	}
}

// TestRegionsFull fills the table: changes that need room fail whole.
func TestRegionsFull(t *testing.T) {
	memory, base := table(4 * RegionSize)
	var r Regions
	r.Init(base, 4, 0, 100*page)
	for i := range uint64(4) {
		if errno := r.Map(Region{Start: i * 10 * page, End: (i*10 + 3) * page, Prot: 3}); errno != 0 {
			t.Fatal(errno)
		}
	}
	if errno := r.Map(Region{Start: 50 * page, End: 51 * page}); errno != linux.ENOMEM {
		t.Errorf("fifth region: %d", errno)
	}
	if errno := r.Unmap(1*page, 2*page); errno != linux.ENOMEM {
		t.Errorf("split: %d", errno)
	}
	if errno := r.Protect(1*page, 2*page, 0); errno != linux.ENOMEM {
		t.Errorf("split by protection: %d", errno)
	}
	if g, _ := r.Find(1 * page); g != (Region{Start: 0, End: 3 * page, Prot: 3}) || r.Len() != 4 {
		t.Errorf("a failed change left %+v, %d regions", g, r.Len())
	}
	for _, bad := range [][2]uint64{{1, page}, {page, page}, {2 * page, page}, {99 * page, 101 * page}, {page, page + 1}} {
		if errno := r.Map(Region{Start: bad[0], End: bad[1]}); errno != linux.EINVAL {
			t.Errorf("Map of %#x: %d", bad, errno)
		}
	}
	r.Extend(5)
	if errno := r.Map(Region{Start: 3 * page, End: 10 * page, Prot: 3}); errno != 0 || r.Len() != 3 {
		t.Errorf("joining two regions: %d, %d left", errno, r.Len())
	}
	_ = memory[0]
}
