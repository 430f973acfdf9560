package memory

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi/capability"
)

// model knows of each unit of Least bytes of some roots whether it is taken.
type model struct {
	roots []Root
	taken map[uint64]bool // by number of the unit
}

// inside reports whether a unit lies wholly in a root.
func (m *model) inside(r Root, unit uint64) bool {
	return unit*Least >= r.Base && (unit+1)*Least <= r.Base+r.Size
}

// free returns how many bytes of the units are not taken.
func (m *model) free() (bytes uint64) {
	for _, r := range m.roots {
		for unit := r.Base / Least; unit <= (r.Base+r.Size)/Least; unit++ {
			if m.inside(r, unit) && !m.taken[unit] {
				bytes += Least
			}
		}
	}
	return bytes
}

// has reports whether a root has an aligned block of a size that is free.
func (m *model) has(r Root, size uint64) bool {
	for at := (r.Base + size - 1) &^ (size - 1); at+size <= r.Base+r.Size; at += size {
		free := true
		for unit := at / Least; unit < (at+size)/Least; unit++ {
			free = free && m.inside(r, unit) && !m.taken[unit]
		}
		if free {
			return true
		}
	}
	return false
}

// TestModel takes and gives at random, and compares with a naive model: no two
// blocks overlap, each is aligned and inside its root, a block is refused only
// if there is none, and it comes from the first root that has one.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		p, m := New(1), &model{taken: make(map[uint64]bool)}
		base := uint64(r.IntN(64)) << 12
		for i := range 1 + r.IntN(4) {
			root := Root{Reference: capability.Reference(i + 1), Base: base, Size: uint64(1+r.IntN(1024)) << 12, Node: uint32(r.IntN(2))}
			if r.IntN(3) == 0 {
				root.Loan = uint32(i + 1)
			}
			p.Add(root)
			m.roots = append(m.roots, root)
			base += root.Size + uint64(r.IntN(64))<<12
		}
		whole := p.Statistics()
		if whole.Free != m.free() || whole.Usable != whole.Free {
			t.Fatalf("%#x bytes free at first, want %#x", whole.Free, m.free())
		}
		mark := func(b Block, taken bool) {
			for unit := b.Base / Least; unit < (b.Base+b.Size)/Least; unit++ {
				if m.taken[unit] == taken || !m.inside(b.Root, unit) {
					t.Fatalf("block of %#x bytes at %#x in %+v: overlaps or is outside", b.Size, b.Base, b.Root)
				}
				m.taken[unit] = taken
			}
		}
		rank := func(r Root) int {
			switch {
			case r.Loan == 0 && r.Node == 1:
				return 0
			case r.Loan == 0:
				return 1
			case r.Node == 1:
				return 2
			}
			return 3
		}
		var blocks []Block
		for range r.IntN(300) {
			if len(blocks) > 0 && r.IntN(5) < 2 {
				i := r.IntN(len(blocks))
				p.Give(blocks[i])
				mark(blocks[i], false)
				blocks[i] = blocks[len(blocks)-1]
				blocks = blocks[:len(blocks)-1]
			} else {
				size, reserve := uint64(Least)<<r.IntN(7), uint64(r.IntN(4))<<20
				own := uint64(0)
				p.Roots(func(root Root, s Statistics) {
					if root.Loan == 0 {
						own += s.Free
					}
				})
				best := 4
				for _, root := range m.roots {
					if m.has(root, size) && (root.Loan != 0 || own >= reserve+size) {
						best = min(best, rank(root))
					}
				}
				b, ok := p.Take(size, reserve)
				if ok != (best < 4) {
					t.Fatalf("Take(%#x, %#x): %v, best root %d", size, reserve, ok, best)
				}
				if !ok {
					continue
				}
				if b.Size != size || b.Base%size != 0 || rank(b.Root) != best || b.Offset() != b.Base-b.Root.Base {
					t.Fatalf("Take(%#x) gave %+v; there is a root of rank %d", size, b, best)
				}
				mark(b, true)
				blocks = append(blocks, b)
			}
			s := p.Statistics()
			if s.Free != m.free() || p.Free() != s.Free {
				t.Fatalf("%#x and %#x bytes free, want %#x", s.Free, p.Free(), m.free())
			}
			largest := uint64(0)
			for size := uint64(Least); size <= 1<<23; size <<= 1 {
				for _, root := range m.roots {
					if m.has(root, size) {
						largest = size
					}
				}
			}
			if s.Largest != largest {
				t.Fatalf("largest free block %#x, want %#x", s.Largest, largest)
			}
		}
		for _, b := range blocks {
			p.Give(b)
		}
		if s := p.Statistics(); s != whole {
			t.Fatalf("when all is given back %+v, at first %+v", s, whole)
		}
		for _, root := range m.roots {
			if !p.Remove(root.Reference) || p.Remove(root.Reference) {
				t.Fatalf("%+v cannot be removed once", root)
			}
		}
		if s := p.Statistics(); s != (Statistics{}) {
			t.Fatalf("without roots: %+v", s)
		}
	})
}

func TestRefuses(t *testing.T) {
	p := New(0)
	p.Add(Root{Reference: 1, Base: 1 << 20, Size: 1 << 20})
	for _, size := range []uint64{0, 1, Least - 1, Least / 2, 3 * Least, 2 << 20} {
		if b, ok := p.Take(size, 0); ok {
			t.Errorf("Take(%#x) gave %+v", size, b)
		}
	}
	b, ok := p.Take(1<<20, 0)
	if !ok || !b.Whole() {
		t.Fatalf("%+v, %v", b, ok)
	}
	if p.Remove(1) {
		t.Error("a root with a block taken was removed")
	}
	p.Give(b)
	for name, wrong := range map[string]Block{
		"a block given twice":         b,
		"half a block":                {b.Root, b.Base, b.Size / 2},
		"a block of no root":          {Root{Reference: 9}, b.Base, b.Size},
		"a block that was never made": {b.Root, b.Base + Least, Least},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Give took %s", name)
				}
			}()
			p.Give(wrong)
		}()
	}
}

// TestBorrowed: borrowed roots are used last, are idle when all of them is free,
// and become the core's own when nobody wants them back.
func TestBorrowed(t *testing.T) {
	p := New(0)
	p.Add(Root{Reference: 2, Base: 0, Size: 2 << 20, Loan: 7})
	p.Add(Root{Reference: 1, Base: 4 << 20, Size: 2 << 20})
	if r, ok := p.Idle(); !ok || r.Reference != 2 {
		t.Errorf("idle: %+v, %v", r, ok)
	}
	own, _ := p.Take(2<<20, 0)
	borrowed, ok := p.Take(2<<20, 0)
	if own.Root.Reference != 1 || borrowed.Root.Reference != 2 || !ok {
		t.Errorf("took %+v, then %+v", own, borrowed)
	}
	if _, ok := p.Idle(); ok {
		t.Error("idle though taken")
	}
	if s := p.Statistics(); s.Borrowed != 2<<20 || s.Free != 0 || s.Size != 4<<20 || s.Usable != s.Size {
		t.Errorf("%+v", s)
	}
	if p.Keep(0) || p.Keep(8) || !p.Keep(7) || p.Keep(7) {
		t.Error("a loan is not kept exactly once")
	}
	p.Give(borrowed)
	if _, ok := p.Idle(); ok {
		t.Error("the core's own is idle")
	}
	if b, ok := p.TakeLendable(Least, 0); ok {
		t.Errorf("what was borrowed can be lent: %+v", b)
	}
	p.Give(own)
	if b, ok := p.TakeLendable(Least, 0); !ok || b.Root.Reference != 1 {
		t.Errorf("to be lent is %+v, %v", b, ok)
	}
	if s := p.Statistics(); s.Borrowed != 0 {
		t.Errorf("%+v", s)
	}
}
