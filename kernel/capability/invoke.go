package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Decode finds the capability that a call's first word names in a CSpace, and
// checks the invocation and its arguments against its type and rights. What
// passes can be done as far as the table knows.
func (s *System) Decode(root memory.Phys, word uint64, a *abi.Arguments) (memory.Phys, abi.Invocation, abi.Error) {
	i := abi.Invocation(word >> 32)
	slot, err := s.Find(root, abi.Reference(word))
	if err != abi.OK {
		return 0, 0, err
	}
	c := s.at(slot)
	switch {
	case c.kind == abi.Null:
		return 0, 0, abi.ErrEmpty
	case c.state == clearing && i != abi.InvokeIdentify:
		return 0, 0, abi.ErrNotReady
	}
	return slot, i, abi.Check(c.kind, c.rights, i, a)
}

// Invoke does an invocation of a CNode, the only objects that are this
// package's own. slot holds it, and Decode has checked invocation and
// arguments; root is the caller's CSpace.
func (s *System) Invoke(root, slot memory.Phys, i abi.Invocation, a *abi.Arguments) abi.Error {
	// The two types have the same invocations by the same numbers.
	switch i {
	case abi.L2CNodeDelete:
		return s.at1(slot, a[0], (*System).Delete)
	case abi.L2CNodeRevoke:
		return s.at1(slot, a[0], (*System).Revoke)
	}
	source, err := s.Lookup(root, abi.Reference(a[1]), 0)
	if err != abi.OK {
		return err
	}
	t, index, count := s.at(source).kind, a[0], uint64(1)
	if i == abi.L2CNodeRetype {
		t, index, count = abi.Type(a[2]), a[0]&(1<<32-1), a[0]>>32
		if count > MaxRetype {
			return abi.ErrArgument
		}
	}
	to, err := s.Vacant(slot, index, count, t)
	if err != abi.OK {
		return err
	}
	switch i {
	case abi.L2CNodeCopy:
		return s.Copy(to, source, abi.AllRights)
	case abi.L2CNodeMint:
		return s.Copy(to, source, abi.Rights(a[2]))
	case abi.L2CNodeMove:
		return s.Move(to, source)
	case abi.L2CNodeRetype:
		return s.Retype(to, source, t, a[3], a[4], count)
	}
	return abi.ErrInvocation
}

// at1 does an operation on one slot of a CNode.
func (s *System) at1(cnode memory.Phys, index uint64, do func(*System, memory.Phys) abi.Error) abi.Error {
	a, err := s.Slot(cnode, index, 1)
	if err != abi.OK {
		return err
	}
	return do(s, a)
}
