package vspace

import (
	"fmt"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
)

// fill takes CNodes until the next one needs a larger L1 CNode.
func (m *machine) fill() (list []capability.Reference) {
	m.t.Helper()
	for l1 := uint32(FirstCNode); l1 < space.cnodes; l1++ {
		if cnodeAt(l1).kind == noCNode {
			r, err := CNode()
			m.must(err)
			list = append(list, r)
		}
	}
	return list
}

// TestGrow goes on with random operations while the L1 CNode gets replaced, as
// often as it can be.
func TestGrow(t *testing.T) {
	for s := *firstSeed; s < *firstSeed+uint64(min(*seeds, 3)); s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			m := newMachine(t, 1<<20)
			l := run(t, s, m, *steps/4, nil)
			var all []capability.Reference
			grown := 0
			for ; space.cnodes < MaxCNodes; grown++ {
				all = append(all, m.fill()...)
				r, err := CNode()
				m.must(err)
				all = append(all, r)
				// What the program has put into it stays, wherever the L1 CNode is.
				m.ask(capability.OK, r, capability.L2CNodeCopy, 1, uint64(capability.Base(capability.SlotArchive)))
				m.check()
				for range *steps / 4 {
					l.step(false)
					l.verify()
				}
				m.check()
				for _, r := range all {
					m.ask(capability.OK, r, capability.InvokeNop)
				}
				m.ask(capability.OK, capability.MakeReference(r.L1(), 1), capability.InvokeNop)
			}
			if grown != 4 { // to 512, 1024, 2048, 4096
				t.Errorf("grew %d times", grown)
			}
			m.fill()
			if _, err := CNode(); err != capability.ErrMemory {
				t.Errorf("beyond the most there can be: %v", err)
			}
			for range *steps / 4 {
				l.step(true)
				l.verify()
			}
			m.check()
		})
	}
}

// TestGrowRefused lets the CPU driver refuse one of the invocations that replace
// the L1 CNode after the other: nothing has changed then, and the next try
// succeeds.
func TestGrowRefused(t *testing.T) {
	const slots = l1Bytes / capability.SlotSize
	for n := 1; n <= 1+slots-1+1; n++ {
		m := newMachine(t, 2<<20)
		m.fill()
		var before, after abi.Memory
		Memory(&before)
		was := m.BaseOf(m.root)
		m.failing = n
		if _, err := CNode(); err != capability.ErrRevoking || m.failing != 0 {
			t.Errorf("invocation %d: %v", n, err)
		}
		if Memory(&after); after != before || m.BaseOf(m.root) != was || space.cnodes != slots {
			t.Errorf("invocation %d: %+v, before %+v; %d slots", n, after, before, space.cnodes)
		}
		m.check()
		if _, err := CNode(); err != capability.OK || m.BaseOf(m.root) == was {
			t.Errorf("after invocation %d: %v", n, err)
		}
		m.check()
	}
}

// TestDropAfterGrowth gives up CNodes of which an old L1 CNode, kept by the
// program, has copies.
func TestDropAfterGrowth(t *testing.T) {
	m := newMachine(t, 8<<20)
	old := m.slot()
	m.ask(capability.OK, holder(old), capability.L2CNodeCopy, uint64(old.Slot()), uint64(capability.Base(capability.SlotCSpace)))
	var list []capability.Reference
	for range 3 * capability.L2Slots {
		list = append(list, m.slot())
	}
	m.fill()
	_, err := CNode()
	m.must(err)
	for _, r := range list {
		m.must(FreeSlot(r))
	}
	m.check()
	a := m.mmap(low, 2048, readWrite)
	for p := range uint64(2048) {
		m.write(a+pages(p), p)
	}
	m.check()
	m.ask(capability.OK, old, capability.InvokeNop)
}
