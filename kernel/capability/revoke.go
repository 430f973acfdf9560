package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// revokeAtOnce is how many capabilities Revoke deletes before it leaves the
// rest to Step.
const revokeAtOnce = 16

// Revoke deletes all other copies of the capability in a slot, which needs
// right Revoke, and everything made of its object. It returns ErrPending if it
// goes on in Step; Revoking tells when it is done. Until then the object
// cannot be copied or retyped, nor can anything made of it.
func (s *System) Revoke(a memory.Phys) abi.Error {
	if err := s.usable(a, abi.RightRevoke); err != abi.OK {
		return err
	}
	switch {
	case s.at(a).state == revoking:
		return abi.ErrRevoking
	case !s.owned(a) || s.relations(a)&(abi.RemoteCopies|abi.RemoteDescendants) != 0:
		return abi.ErrRemote
	case s.numRevocations == MaxRevocations:
		return abi.ErrBusy
	}
	s.at(a).state = revoking
	s.revocations[s.numRevocations] = a
	s.numRevocations++
	for range revokeAtOnce {
		if !s.stepRevocation(a) || s.at(a).state != revoking {
			break
		}
	}
	if s.at(a).state == revoking {
		return abi.ErrPending
	}
	return abi.OK
}

// Revoking reports whether the capability in a slot is still being revoked.
func (s *System) Revoking(a memory.Phys) bool { return s.at(a).state == revoking }

// revocation returns the number of a slot's revocation.
func (s *System) revocation(a memory.Phys) int {
	for i := range s.numRevocations {
		if s.revocations[i] == a {
			return i
		}
	}
	return MaxRevocations // not reached: a slot in that state is there
}

// revokeNoMore ends a slot's revocation.
func (s *System) revokeNoMore(a memory.Phys) {
	i := s.revocation(a)
	s.numRevocations--
	s.revocations[i] = s.revocations[s.numRevocations]
	s.at(a).state = live
}

// beingRevoked reports whether a slot's object is, or was made of, one that is
// being revoked.
func (s *System) beingRevoked(a memory.Phys) bool {
	c := s.at(a)
	for i := range s.numRevocations {
		r := s.at(s.revocations[i])
		if r.covers(c) && (r.size > c.size || r.kind <= c.kind) {
			return true
		}
	}
	return false
}

// stepRevoke does a piece of one revocation. It reports whether it got
// anywhere: it does not while all wait for the delete list.
func (s *System) stepRevoke() bool {
	for i := range s.numRevocations {
		if s.stepRevocation(s.revocations[i]) {
			return true
		}
	}
	return false
}

// stepRevocation deletes one capability on behalf of a slot's revocation, or
// ends it. It reports whether it got anywhere.
func (s *System) stepRevocation(a memory.Phys) bool {
	victim := s.lastIn(a)
	if s.at(victim).copies(s.at(a)) {
		victim = s.otherCopy(a)
		if victim == 0 {
			s.revokeNoMore(a)
		} else {
			s.drop(victim)
		}
		return true
	}
	if s.at(victim).state == deleting {
		return false
	}
	switch s.Delete(victim) {
	case abi.ErrRemote:
		// The monitors did not say that other cores have a part in this.
		s.revokeNoMore(a)
	case abi.ErrBusy:
		return false
	}
	return true
}
