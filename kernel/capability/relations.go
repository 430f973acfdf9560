package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Owner, relations and top are the same for all copies of a capability on a core.
// The first copy in order holds them; when another becomes the first it takes
// them over, so that setting them costs O(log n) however many copies there are.
// The owner of what holds capabilities is right in every copy: lookup asks it.

// join puts a slot that was filled with a copy of another's capability into
// the tree.
func (s *System) join(a, of memory.Phys) {
	first := s.at(s.firstCopy(of))
	c := s.at(a)
	c.owner, c.relations, c.top = first.owner, first.relations, first.top
	s.insert(a)
}

// leave takes a slot out of the tree to which there is a way in s.path, and whose
// heir is known.
func (s *System) leave(a, heir memory.Phys) {
	if heir != 0 {
		c, o := s.at(a), s.at(heir)
		o.owner, o.relations, o.top = c.owner, c.relations, c.top
	}
	s.remove(a)
}

// remote reports whether other cores have copies of an object of this core's.
func (s *System) remote(a memory.Phys) bool {
	first := s.at(s.firstCopy(a))
	return s.ownedHere(first) && first.relations&abi.RemoteCopies != 0
}

func (s *System) relations(a memory.Phys) abi.Relations { return s.at(s.firstCopy(a)).relations }

// owned reports whether this core decides about a slot's object.
func (s *System) owned(a memory.Phys) bool { return s.ownedHere(s.at(s.firstCopy(a))) }

// ownedHere is owned of a first copy.
func (s *System) ownedHere(c *Slot) bool { return uint32(c.owner) == s.Core }

// SetRelations says which core owns a slot's object, and what other cores hold
// of it. Monitors do that when they have agreed. The owner of what holds
// capabilities can be set only while there is one capability to it here, and that other
// cores have copies only while it is not being revoked.
func (s *System) SetRelations(a memory.Phys, owner uint32, r abi.Relations) abi.Error {
	switch {
	case s.at(a).kind == abi.Null:
		return abi.ErrEmpty
	case s.at(a).state == clearing:
		return abi.ErrNotReady
	case s.at(a).state == lent || s.at(a).state == imported:
		return abi.ErrRemote
	case owner > 1<<16-1 || r&^abi.AllRelations != 0:
		return abi.ErrArgument
	case r&^s.relations(a)&abi.RemoteCopies != 0 && s.beingRevoked(a):
		return abi.ErrRevoking
	}
	first := s.at(s.firstCopy(a))
	if abi.Of(first.kind).Holds && uint32(first.owner) != owner && s.otherCopy(a) != 0 {
		return abi.ErrInUse
	}
	first.owner, first.relations = uint16(owner), r
	return abi.OK
}

// Identify describes the capability in a slot.
func (s *System) Identify(a memory.Phys) abi.Description {
	c := s.at(a)
	if c.kind == abi.Null {
		return abi.Description{}
	}
	first := s.at(s.firstCopy(a))
	d := abi.Description{
		Type: c.kind, Rights: c.rights, Ready: 1,
		Relations: first.relations, Owner: uint32(first.owner),
		Base: c.base(), Size: c.size,
	}
	if c.state == clearing {
		d.Ready = 0
	}
	return d
}
