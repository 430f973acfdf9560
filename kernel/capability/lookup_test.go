package capability

import (
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// TestLookup checks what each reference to the first CSpace leads to.
func TestLookup(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Copy(m.slot(7), m.slot(1), abi.RightGrant|abi.RightRevoke))
	if err := m.Retype(m.slot(8), m.slot(1), abi.Frame, 512<<10, 256<<10, 1); err != abi.ErrPending {
		t.Fatal(err)
	}
	// An L2 CNode through which nothing may be looked up.
	blind, err := m.Vacant(m.root, 5, 1, abi.L2CNode)
	m.must(err)
	m.must(m.Copy(blind, m.cnode, abi.RightGrant|abi.RightWrite))
	for _, c := range []struct {
		name   string
		r      abi.Reference
		rights abi.Rights
		want   abi.Error
	}{
		{"RAM", abi.MakeReference(1, 1), abi.RightRetype, abi.OK},
		{"RAM without the right", abi.MakeReference(1, 7), abi.RightRetype, abi.ErrRights},
		{"a Frame not ready", abi.MakeReference(1, 8), 0, abi.ErrNotReady},
		{"an empty slot", abi.MakeReference(1, 99), 0, abi.ErrEmpty},
		{"no reference", 0, 0, abi.ErrReference},
		{"the kernel's slot", abi.MakeReference(1, 0), 0, abi.ErrReference},
		{"the kernel's L1 slot", abi.MakeReference(0, 5), 0, abi.ErrReference},
		{"no L2 CNode there", abi.MakeReference(2, 5), 0, abi.ErrReference},
		{"beyond the L1 CNode", abi.MakeReference(256, 5), 0, abi.ErrReference},
		{"far beyond", abi.MakeReference(abi.MaxL1Slots-1, 255), 0, abi.ErrReference},
		{"without right Read of the CNode", abi.MakeReference(5, 1), 0, abi.ErrReference},
		{"the L2 CNode itself", abi.LevelOneReference(1), abi.RightWrite, abi.OK},
		{"an empty L1 slot", abi.LevelOneReference(9), 0, abi.ErrEmpty},
		{"the kernel's L1 slot itself", abi.LevelOneReference(0), 0, abi.ErrReference},
		{"both levels", abi.LevelOneReference(1) | 1, 0, abi.ErrReference},
	} {
		if _, err := m.Lookup(m.root, c.r, c.rights); err != c.want {
			t.Errorf("%s: %s, want %s", c.name, err.Name(), c.want.Name())
		}
	}
	if _, err := m.LookupType(m.root, abi.MakeReference(1, 1), abi.Frame, abi.RightWrite); err != abi.ErrType {
		t.Error(err)
	}
	if _, err := m.Lookup(m.slot(1), abi.MakeReference(1, 1), 0); err != abi.ErrReference {
		t.Errorf("a CSpace whose root is RAM: %s", err.Name())
	}
}

// TestVacancy checks which references lead to an empty slot.
func TestVacancy(t *testing.T) {
	m := newMachine(t, 1<<20)
	for slot, rights := range map[uint64]abi.Rights{5: abi.RightRead, 6: abi.RightWrite} {
		to, err := m.Vacant(m.root, slot, 1, abi.L2CNode)
		m.must(err)
		m.must(m.Copy(to, m.cnode, rights))
	}
	for _, c := range []struct {
		name string
		r    abi.Reference
		kind abi.Type
		want abi.Error
	}{
		{"an empty slot", abi.MakeReference(1, 99), abi.Mapping, abi.OK},
		{"one that is not", abi.MakeReference(1, 1), abi.Mapping, abi.ErrOccupied},
		{"without right Write of the CNode", abi.MakeReference(5, 99), abi.Mapping, abi.ErrRights},
		{"without right Read of the CNode", abi.MakeReference(6, 99), abi.Mapping, abi.ErrReference},
		{"no L2 CNode there", abi.MakeReference(9, 99), abi.Mapping, abi.ErrReference},
		{"beyond the L1 CNode", abi.MakeReference(256, 1), abi.Mapping, abi.ErrReference},
		{"no reference", 0, abi.Mapping, abi.ErrReference},
		{"the kernel's slot", abi.MakeReference(1, 0), abi.Mapping, abi.ErrReference},
		{"an L1 slot, for an L2 CNode", abi.LevelOneReference(9), abi.L2CNode, abi.OK},
		{"an L1 slot, for anything else", abi.LevelOneReference(9), abi.RAM, abi.ErrOccupied},
		{"an L1 slot that is taken", abi.LevelOneReference(1), abi.L2CNode, abi.ErrOccupied},
	} {
		a, err := m.Vacancy(m.root, c.r, c.kind)
		if err != c.want {
			t.Errorf("%s: %s, want %s", c.name, err.Name(), c.want.Name())
		}
		if found, _ := m.Find(m.root, c.r); err == abi.OK && (a != found || m.TypeOf(a) != abi.Null) {
			t.Errorf("%s: slot %#x", c.name, a)
		}
	}
}

// TestGrow replaces a CSpace's L1 CNode by a larger one, as its user does.
func TestGrow(t *testing.T) {
	m := newMachine(t, 1<<20)
	if err := m.Retype(m.slot(20), m.slot(1), abi.L1CNode, 512<<10, 64<<10, 1); err != abi.ErrPending {
		t.Fatal(err)
	}
	m.drain()
	to, err := m.Vacant(m.slot(20), 1, 1, abi.L2CNode)
	m.must(err)
	m.must(m.Copy(to, m.cnode, abi.AllRights))
	if _, err := m.Vacant(m.slot(20), 2, 1, abi.Frame); err != abi.ErrOccupied {
		t.Errorf("a frame in an L1 CNode: %s", err.Name())
	}
	to, err = m.Vacant(m.slot(20), 1000, 1, abi.L2CNode)
	m.must(err)
	m.must(m.Copy(to, m.cnode, abi.AllRights))
	// The kernel's part: the dispatcher's slot.
	m.must(m.Delete(m.root))
	m.must(m.Copy(m.root, m.slot(20), abi.AllRights))
	m.must(m.Delete(m.slot(2))) // the last of the old one
	m.drain()
	for _, r := range []abi.Reference{abi.MakeReference(1, 1), abi.MakeReference(1000, 1)} {
		if a, err := m.LookupType(m.root, r, abi.RAM, 0); err != abi.OK || a != m.slotAt(r) {
			t.Errorf("%#x: slot %#x, %s", r, a, err.Name())
		}
	}
	m.check()
	m.covered()
}

func (m *machine) slotAt(r abi.Reference) memory.Phys {
	return memory.Phys(m.ram + 16<<10 + uint64(r.Slot())*abi.SlotSize)
}

// FuzzInvoke decodes and does invocations of anything.
func FuzzInvoke(f *testing.F) {
	f.Add(uint64(abi.L2CNodeRetype)<<32|uint64(abi.MakeReference(1, 3)), uint64(1<<32|40), uint64(abi.MakeReference(1, 1)), uint64(abi.Frame), uint64(0x80000), uint64(0x1000))
	f.Add(uint64(abi.L2CNodeCopy)<<32|uint64(abi.MakeReference(1, 3)), uint64(41), uint64(abi.MakeReference(1, 1)), uint64(0), uint64(0), uint64(0))
	f.Add(uint64(abi.L1CNodeMint)<<32|uint64(abi.MakeReference(1, 2)), uint64(4), uint64(abi.LevelOneReference(1)), uint64(1), uint64(0), uint64(0))
	f.Add(uint64(abi.L2CNodeMove)<<32|uint64(abi.MakeReference(1, 3)), uint64(42), uint64(abi.MakeReference(1, 3)), uint64(0), uint64(0), uint64(0))
	f.Add(uint64(abi.L2CNodeDelete)<<32|uint64(abi.MakeReference(1, 3)), uint64(1), uint64(0), uint64(0), uint64(0), uint64(0))
	f.Add(uint64(abi.L2CNodeRevoke)<<32|uint64(abi.LevelOneReference(1)), uint64(1), uint64(0), uint64(0), uint64(0), uint64(0))
	f.Add(^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, w, a, b, c, d, e uint64) {
		m := newMachine(t, 256<<10)
		args := abi.Arguments{a, b, c, d, e}
		slot, i, err := m.Decode(m.root, w, &args)
		if err != abi.OK {
			if m.check(); m.Count != 5 {
				t.Fatal("a refused invocation changed something")
			}
			return
		}
		if k := m.at(slot).kind; k == abi.L1CNode || k == abi.L2CNode {
			if i >= abi.NumCommon {
				err = m.Invoke(m.root, slot, i, &args)
			}
		}
		m.drain()
		m.check()
		m.covered()
	})
}
