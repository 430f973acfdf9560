package capability

import (
	"math/rand/v2"
	"testing"

	abi "skerry/abi/capability"
)

// TestImportOverlapping imports frames of two cores in any order, at any place among few pages, and
// deletes and expels them: one is taken if it is apart from all that there are, or the same frame of
// the same core as one of them.
func TestImportOverlapping(t *testing.T) {
	const (
		pages  = 8
		places = 30 // slots
		owners = 2
	)
	type frame struct {
		first, end uint64 // pages
		owner      uint32
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := newMachine(t, 1<<20)
		base := m.ram + m.size
		held := map[uint64]frame{} // by slot
		refused, taken := 0, 0
		for range 200 {
			slot := 40 + r.Uint64N(places)
			if f, is := held[slot]; is {
				if r.IntN(4) == 0 { // with all that lie in it; it takes no part of another
					for m.Expel(base+f.first*pageSize, (f.end-f.first)*pageSize) == abi.ErrPending {
					}
					for other, g := range held {
						if g == f {
							delete(held, other)
						}
					}
				} else {
					m.must(m.Delete(m.slot(slot)))
					delete(held, slot)
				}
				continue
			}
			f := frame{first: r.Uint64N(pages), owner: 2 + r.Uint32N(owners)}
			f.end = f.first + 1 + r.Uint64N(pages-f.first)
			want := abi.OK
			for _, g := range held {
				if f != g && f.first < g.end && g.first < f.end {
					want = abi.ErrInUse
				}
			}
			got := m.Import(m.slot(slot), abi.Frame, base+f.first*pageSize, (f.end-f.first)*pageSize, f.owner, abi.AllRights)
			if got != want {
				t.Fatalf("seed %d: pages %d to %d of core %d beside %v: %s, want %s", seed, f.first, f.end, f.owner, held, got.Name(), want.Name())
			}
			if got == abi.OK {
				held[slot] = f
				taken++
			} else {
				refused++
			}
			m.check()
		}
		if refused < 10 || taken < 10 {
			t.Errorf("seed %d: %d were taken and %d refused", seed, taken, refused)
		}
	}
}
