package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Find returns the slot that a reference names in the CSpace whose L1 CNode
// the slot root holds. The slot may be empty.
func (s *System) Find(root memory.Phys, r abi.Reference) (memory.Phys, abi.Error) {
	if r&abi.LevelOne != 0 && r.Slot() != 0 {
		return 0, abi.ErrReference
	}
	l1 := s.at(root)
	if err := s.holds(l1, abi.L1CNode, uint64(r.L1())); err != abi.OK {
		return 0, err
	}
	a := memory.Phys(l1.base() + uint64(r.L1())*abi.SlotSize)
	if r&abi.LevelOne != 0 {
		return a, abi.OK
	}
	l2 := s.at(a)
	if err := s.holds(l2, abi.L2CNode, uint64(r.Slot())); err != abi.OK {
		return 0, err
	}
	return memory.Phys(l2.base() + uint64(r.Slot())*abi.SlotSize), abi.OK
}

// holds reports, by OK, whether a capability is one to a CNode of a type that
// may be looked into and that has a slot, not the kernel's, of a number.
func (s *System) holds(c *Slot, kind abi.Type, index uint64) abi.Error {
	if c.kind != kind || c.rights&abi.RightRead == 0 || uint32(c.owner) != s.Core || index-1 >= c.size/abi.SlotSize-1 {
		return abi.ErrReference
	}
	if c.state == clearing {
		return abi.ErrNotReady
	}
	return abi.OK
}

// slotOf returns the first of n slots in the CNode that the slot cnode holds.
func (s *System) slotOf(cnode memory.Phys, kind abi.Type, index, n uint64) (memory.Phys, abi.Error) {
	c := s.at(cnode)
	if err := s.holds(c, kind, index); err != abi.OK {
		return 0, err
	}
	if slots := c.size / abi.SlotSize; n > slots || index > slots-n {
		return 0, abi.ErrReference
	}
	return memory.Phys(c.base() + index*abi.SlotSize), abi.OK
}

// Lookup returns the slot that a reference names, if it holds a capability that
// is ready and has rights.
func (s *System) Lookup(root memory.Phys, r abi.Reference, rights abi.Rights) (memory.Phys, abi.Error) {
	a, err := s.Find(root, r)
	if err != abi.OK {
		return 0, err
	}
	return a, s.usable(a, rights)
}

func (s *System) usable(a memory.Phys, rights abi.Rights) abi.Error {
	c := s.at(a)
	switch {
	case c.kind == abi.Null:
		return abi.ErrEmpty
	case c.state == clearing:
		return abi.ErrNotReady
	case rights&^c.rights != 0:
		return abi.ErrRights
	}
	return abi.OK
}

// LookupType is Lookup for a capability of one type.
func (s *System) LookupType(root memory.Phys, r abi.Reference, t abi.Type, rights abi.Rights) (memory.Phys, abi.Error) {
	a, err := s.Lookup(root, r, rights)
	if (err == abi.OK || err == abi.ErrRights) && s.at(a).kind != t {
		err = abi.ErrType
	}
	return a, err
}

// Slot returns the first of n slots in the CNode of either level that the slot
// cnode holds, whatever is in them.
func (s *System) Slot(cnode memory.Phys, index, n uint64) (memory.Phys, abi.Error) {
	k := s.at(cnode).kind
	if k != abi.L1CNode && k != abi.L2CNode {
		return 0, abi.ErrType
	}
	return s.slotOf(cnode, k, index, n)
}

// Vacant returns the first of n empty slots in a CNode that can hold
// capabilities of a type. The CNode needs right Write.
func (s *System) Vacant(cnode memory.Phys, index, n uint64, t abi.Type) (memory.Phys, abi.Error) {
	a, err := s.Slot(cnode, index, n)
	if err != abi.OK {
		return 0, err
	}
	c := s.at(cnode)
	if c.rights&abi.RightWrite == 0 {
		return 0, abi.ErrRights
	}
	if c.kind == abi.L1CNode && t != abi.L2CNode {
		return 0, abi.ErrOccupied
	}
	for i := range n {
		if s.at(a+memory.Phys(i*abi.SlotSize)).kind != abi.Null {
			return 0, abi.ErrOccupied
		}
	}
	return a, abi.OK
}

// Vacancy returns the empty slot that a reference names in the CSpace whose L1
// CNode the slot root holds, for a capability of a type. The CNode needs right
// Write.
func (s *System) Vacancy(root memory.Phys, r abi.Reference, t abi.Type) (memory.Phys, abi.Error) {
	if !r.Valid() {
		return 0, abi.ErrReference
	}
	if r&abi.LevelOne != 0 {
		return s.Vacant(root, uint64(r.L1()), 1, t)
	}
	cnode, err := s.slotOf(root, abi.L1CNode, uint64(r.L1()), 1)
	if err != abi.OK {
		return 0, err
	}
	if s.at(cnode).kind != abi.L2CNode {
		return 0, abi.ErrReference
	}
	return s.Vacant(cnode, uint64(r.Slot()), 1, t)
}
