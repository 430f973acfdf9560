package capability

import (
	"math"
	"math/rand/v2"
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// shape is what the tree keeps in a slot.
type shape struct {
	child [2]memory.Phys
	level uint8
}

// shapes returns the tree's shape by slot, and how deep the deepest is.
func (m *machine) shapes() (all map[memory.Phys]shape, depth int) {
	all = make(map[memory.Phys]shape)
	var visit func(a memory.Phys, above int)
	visit = func(a memory.Phys, above int) {
		if a == 0 {
			return
		}
		c := m.at(a)
		all[a] = shape{c.child, c.level}
		depth = max(depth, above+1)
		visit(c.child[left], above+1)
		visit(c.child[right], above+1)
	}
	visit(m.State.root, 0)
	return all, depth
}

// changed counts the slots whose children differ, and by how much their levels do.
func changed(before, after map[memory.Phys]shape) (children, levels int) {
	for a, now := range after {
		was, ok := before[a]
		if !ok {
			continue // the new one
		}
		if was.child != now.child {
			children++
		}
		levels += max(int(was.level), int(now.level)) - min(int(was.level), int(now.level))
	}
	return children, levels
}

// TestCost holds what an insertion and a removal cost: the tree is never deeper
// than twice the logarithm of its size, each rotates twice at most, and what else
// they change is a constant on average. So is it whether the tree grows at one end,
// at random, or shrinks from one end.
func TestCost(t *testing.T) {
	const n = 1000
	m, _, _ := many(t, n)
	r := rand.New(rand.NewPCG(*seed, 2))
	// Frames of a page at slots of a CNode of their own.
	m.must(m.Create(m.slot(63), Object{Type: abi.Frame, Base: 1 << 50, Size: (n + 1) * pageSize}, abi.AllRights))
	const slots = 128
	slot := func(i int) memory.Phys { return m.slot(uint64(100 + i)) }
	before, _ := m.shapes()
	operations, levels := 0, 0
	note := func(what string) {
		t.Helper()
		after, depth := m.shapes()
		if most := int(2 * math.Log2(float64(m.Count+1))); depth > most {
			t.Fatalf("%s: %d capabilities lie %d deep, more than %d", what, m.Count, depth, most)
		}
		children, l := changed(before, after)
		// Two rotations change five nodes at most, and one takes what they carry; a
		// removal puts another in its place besides, which changes three.
		if children > 8 {
			t.Fatalf("%s: %d nodes have other children", what, children)
		}
		before = after
		operations++
		levels += l
	}
	order := func(i int) int { return i }
	for range 30 {
		switch r.IntN(3) {
		case 0:
			shuffled := r.Perm(slots)
			order = func(i int) int { return shuffled[i] }
		case 1:
			order = func(i int) int { return slots - 1 - i }
		}
		for i := range slots {
			at := uint64(order(i)) * pageSize * uint64(1+i%7)
			if err := m.Retype(slot(i), m.slot(63), abi.Frame, at, pageSize, 1); err != abi.OK && err != abi.ErrInUse {
				t.Fatal(err)
			}
			note("insert")
		}
		for i := range slots {
			if err := m.Delete(slot(order(i))); err != abi.OK && err != abi.ErrEmpty {
				t.Fatal(err)
			}
			note("remove")
		}
	}
	m.check()
	if mean := float64(levels) / float64(operations); mean > 3 {
		t.Errorf("%.2f levels change with an operation", mean)
	} else {
		t.Logf("%d operations, %.2f levels change with one", operations, mean)
	}
}
