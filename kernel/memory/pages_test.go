package memory

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
)

// TestAgainstModel drives the allocator at random and holds it against a set.
func TestAgainstModel(t *testing.T) {
	const pages = 300
	buf := make([]byte, (pages+1)*abi.PageSize)
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
				if held[b] || !p.Owns(b) || b < phys+10*abi.PageSize {
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
