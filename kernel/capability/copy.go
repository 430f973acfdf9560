package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Copy puts a copy of the slot source, with at most the given rights, into the
// empty slot to. The source needs right Grant.
func (s *System) Copy(to, source memory.Phys, rights abi.Rights) abi.Error {
	if err := s.usable(source, abi.RightGrant); err != abi.OK {
		return err
	}
	switch {
	case s.at(source).state == lent:
		return abi.ErrRemote
	case s.beingRevoked(source):
		return abi.ErrRevoking
	}
	c := *s.at(source)
	c.rights &= rights
	if c.next = 0; c.state != imported {
		c.state = live
	}
	*s.at(to) = c
	s.join(to, source)
	return abi.OK
}

// Move moves the capability in the slot source to the empty slot to.
func (s *System) Move(to, source memory.Phys) abi.Error {
	if err := s.usable(source, 0); err != abi.OK {
		return err
	}
	s.move(to, source)
	return abi.OK
}

func (s *System) move(to, source memory.Phys) {
	s.relocate(to, source)
	s.vacated(source)
}

func (s *System) relocate(to, source memory.Phys) {
	*s.at(to) = *s.at(source)
	s.join(to, source)
	_, heir := s.copiesOf(source)
	s.leave(source, heir)
	if s.at(to).state == revoking {
		s.revocations[s.revocation(source)] = to
	}
	*s.at(source) = Slot{}
	s.Emptied++
}
