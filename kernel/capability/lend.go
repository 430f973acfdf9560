package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// RAM that one core lends to another is named on both. On the core that lends it
// its capability stays, and bars the range: nothing can be made of it or over
// it, and it cannot be copied or deleted. The other core has a capability like
// any other; only where its memory goes in the end is marked, RemoteAncestors,
// on it and on all that is made of it. That the cores agree on what is lent is
// the callers' business.

// Sole reports, by OK, whether the capability in a slot is the only one to its
// object, of which nothing is made, here or on other cores, and which is not
// being revoked.
func (s *System) Sole(a memory.Phys) abi.Error {
	if err := s.usable(a, 0); err != abi.OK {
		return err
	}
	switch {
	case s.beingRevoked(a):
		return abi.ErrRevoking
	case !s.owned(a) || s.relations(a)&(abi.RemoteCopies|abi.RemoteDescendants) != 0:
		return abi.ErrRemote
	case s.otherCopy(a) != 0 || s.child(a) != 0:
		return abi.ErrInUse
	}
	return abi.OK
}

// Lend marks RAM, of which the slot holds the sole capability with all rights,
// as another core's. RAM that is borrowed itself cannot be lent.
func (s *System) Lend(a memory.Phys, core uint32) abi.Error {
	if err := s.Sole(a); err != abi.OK {
		return err
	}
	c := s.at(a)
	switch {
	case c.kind != abi.RAM:
		return abi.ErrType
	case c.rights != abi.Of(abi.RAM).Rights:
		return abi.ErrRights
	case core == s.Core || core > 1<<16-1:
		return abi.ErrArgument
	case c.relations&abi.RemoteAncestors != 0:
		return abi.ErrRemote
	case !s.Kernel.Settled():
		return abi.ErrInUse
	}
	c.state, c.owner, c.relations = lent, uint16(core), abi.RemoteCopies
	return abi.OK
}

// Regain undoes Lend. Nothing of the RAM may still be imported.
func (s *System) Regain(a memory.Phys) abi.Error {
	c := s.at(a)
	switch {
	case c.state != lent:
		return abi.ErrState
	case s.child(a) != 0:
		return abi.ErrInUse // imported
	}
	c.state, c.owner, c.relations = live, uint16(s.Core), 0
	return abi.OK
}

// Adopt puts a capability to RAM that another core has lent to this one into
// the empty slot to. Its range must be apart from all there is: else ErrInUse.
func (s *System) Adopt(to memory.Phys, base, size uint64) abi.Error {
	if !abi.RAM.Fits(base, size) {
		return abi.ErrRange
	}
	if found, _ := s.Range(abi.RAM, base, size); found != Nothing {
		return abi.ErrInUse
	}
	if err := s.Create(to, Object{Type: abi.RAM, Base: base, Size: size}, abi.AllRights); err != abi.OK {
		return err
	}
	s.at(to).relations = abi.RemoteAncestors
	return abi.OK
}

// Release undoes Adopt: it empties a slot with the sole capability to RAM that
// was adopted.
func (s *System) Release(a memory.Phys) abi.Error {
	if err := s.Sole(a); err != abi.OK {
		return err
	}
	switch {
	case s.at(a).kind != abi.RAM:
		return abi.ErrType
	case s.relations(a)&abi.RemoteAncestors == 0:
		return abi.ErrState
	case s.parent(a) != 0 || !s.Kernel.Settled():
		return abi.ErrInUse
	}
	s.around(a)
	s.drop(a, 0)
	return abi.OK
}
