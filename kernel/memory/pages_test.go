package memory

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"skerry/abi"
)

// TestAgainstModel drives the allocator at random and holds it against a set.
func TestAgainstModel(t *testing.T) {
	const pages = 300
	buf := make([]byte, (pages+1)*abi.PageSize)
	defer runtime.KeepAlive(buf) // it is reached through its address
	base := (uintptr(unsafe.Pointer(&buf[0])) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		const phys = 0x10_0000 // what the machine would call the buffer
		p := &Pages{Offset: base - phys}
		p.Add(Extent{phys, phys + 100*abi.PageSize}, phys+10*abi.PageSize)
		p.Add(Extent{phys + 150*abi.PageSize, phys + 300*abi.PageSize}, phys+150*abi.PageSize)
		held := map[Phys]bool{}
		take := func(a Phys, n int) {
			for i := range n {
				b := a + Phys(i*abi.PageSize)
				if held[b] || !has(p, b) || b < phys+10*abi.PageSize {
					t.Fatalf("seed %d: page %#x handed out wrongly", seed, b)
				}
				held[b] = true
			}
		}
		for range 5000 {
			switch r.IntN(5) {
			case 0, 1:
				if a := p.AllocZero(); a != 0 {
					for _, c := range (*[abi.PageSize]byte)(p.at(a)) {
						if c != 0 {
							t.Fatalf("seed %d: page not zeroed", seed)
						}
					}
					(*[abi.PageSize]byte)(p.at(a))[r.IntN(abi.PageSize)] = 1
					take(a, 1)
				} else if len(held) != 240 {
					t.Fatalf("seed %d: exhausted with %d pages held", seed, len(held))
				}
			case 2:
				n := 1 + r.IntN(5)
				align := Phys(abi.PageSize << r.IntN(4))
				if a := p.AllocRun(uint64(n), align); a != 0 {
					if a%align != 0 {
						t.Fatalf("seed %d: run at %#x not aligned to %#x", seed, a, align)
					}
					take(a, n)
				}
			default:
				for a := range held {
					p.Free(a)
					delete(held, a)
					break
				}
			}
			if p.Available() != 240-uint64(len(held)) {
				t.Fatalf("seed %d: %d available with %d held", seed, p.Available(), len(held))
			}
		}
	}
}

// TestKeep uses an allocator at random, then lets it keep a reserve: what it
// has and what it gave away together are what it had, and what it gave away
// nobody had ever been given.
func TestKeep(t *testing.T) {
	const pages = 400
	const phys = 0x10_0000
	buf := make([]byte, (pages+1)*abi.PageSize)
	defer runtime.KeepAlive(buf) // it is reached through its address
	base := (uintptr(unsafe.Pointer(&buf[0])) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := &Pages{Offset: base - phys}
		owner := map[Phys]bool{} // all pages of the extents
		for at := Phys(phys); at < phys+pages*abi.PageSize; {
			e := Extent{at, min(at+Phys(1+r.IntN(120))*abi.PageSize, phys+pages*abi.PageSize)}
			if !p.Add(e, e.Base) {
				break
			}
			for a := e.Base; a < e.End; a += abi.PageSize {
				owner[a] = true
			}
			at = e.End + Phys(r.IntN(3)*abi.PageSize)
		}
		used, held := map[Phys]bool{}, map[Phys]bool{}
		for range r.IntN(pages) {
			n := 1 + r.IntN(3)
			a := p.AllocRun(uint64(n), abi.PageSize)
			if r.IntN(2) == 0 || a == 0 {
				a, n = p.Alloc(), 1
			}
			if a == 0 {
				break
			}
			for i := range n {
				b := a + Phys(i*abi.PageSize)
				used[b], held[b] = true, true
			}
			if r.IntN(3) == 0 {
				p.Free(a)
				delete(held, a)
			}
		}
		total, before := p.Total(), p.Available()
		keep := uint64(r.IntN(100))
		given := uint64(0)
		p.Keep(keep, func(e Extent) {
			if e.Base >= e.End {
				t.Fatalf("seed %d: gave %#x", seed, e)
			}
			for a := e.Base; a < e.End; a += abi.PageSize {
				if used[a] || !owner[a] {
					t.Fatalf("seed %d: page %#x given away", seed, a)
				}
				delete(owner, a)
				given++
			}
		})
		if p.Total()+given != total || p.Available()+given != before {
			t.Fatalf("seed %d: %d given, %d of %d pages left, %d of %d free", seed, given, p.Total(), total, p.Available(), before)
		}
		if p.Available() < min(keep, before) || given > 0 && p.Available() > keep && p.Available() != numFreed(p) {
			t.Fatalf("seed %d: %d free of %d, asked to keep %d", seed, p.Available(), before, keep)
		}
		sum := uint64(0)
		for i := range p.Extents() {
			sum += p.Extent(i).Pages()
		}
		if sum != p.Total() {
			t.Fatalf("seed %d: extents have %d pages of %d", seed, sum, p.Total())
		}
		for n := p.Available(); n > 0; n-- {
			a := p.Alloc()
			if !owner[a] || held[a] || !has(p, a) {
				t.Fatalf("seed %d: page %#x handed out wrongly", seed, a)
			}
			held[a] = true
		}
		if p.Alloc() != 0 {
			t.Fatalf("seed %d: more pages than it said", seed)
		}
	}
}

// has reports whether a page lies in one of the allocator's extents.
func has(p *Pages, a Phys) bool {
	for i := range p.Extents() {
		if e := p.Extent(i); e.Base <= a && a < e.End {
			return true
		}
	}
	return false
}

// numFreed counts the pages that were given back.
func numFreed(p *Pages) (n uint64) {
	for a := p.free; a != 0; a = *(*Phys)(p.at(a)) {
		n++
	}
	return n
}
