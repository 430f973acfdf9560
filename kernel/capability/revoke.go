package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Revoke deletes all other copies of the capability in a slot, which needs
// right Revoke, and everything made of its object. It returns ErrPending if it
// goes on in Step; ErrRevoking until that is done, and then OK. Until then the
// object cannot be copied, retyped or mapped, nor can anything made of it. It returns
// ErrRemote, and may have deleted something, if other cores have copies of what is to
// go: all of the copies of that which are here stay.
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
	for range atOnce {
		switch err := s.stepRevocation(a); {
		case err == abi.ErrBusy:
			return abi.ErrPending
		case err != abi.OK:
			return err
		case s.at(a).state != revoking:
			return abi.OK
		}
	}
	return abi.ErrPending
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
		if s.stepRevocation(s.revocations[i]) != abi.ErrBusy {
			return true
		}
	}
	return false
}

// stepRevocation deletes one capability on behalf of a slot's revocation, or
// ends it. Its error is ErrBusy if it has to wait for the delete list or the
// reclaim queue, ErrRemote if it ended because another core has a part in what
// is to go.
func (s *System) stepRevocation(a memory.Phys) abi.Error {
	victim, n := s.lastAround(a)
	if s.at(victim).copies(s.at(a)) {
		victim = s.otherCopy(a)
		if victim == 0 {
			s.revokeNoMore(a)
			return abi.OK
		}
		_, heir := s.copiesOf(victim)
		s.drop(victim, heir)
		return abi.OK
	}
	switch s.at(victim).state {
	case deleting:
		return abi.ErrBusy
	case lent:
		s.revokeNoMore(a)
		return abi.ErrRemote
	}
	// Of what other cores have copies of, the last copy here cannot be deleted; nor any
	// other, by which the monitor may know of theirs.
	if n.before != 0 && s.at(n.before).copies(s.at(victim)) && s.remote(victim) {
		s.revokeNoMore(a)
		return abi.ErrRemote
	}
	switch err := s.deleteAt(victim, &n); err {
	case abi.ErrRemote:
		s.revokeNoMore(a)
		return err
	case abi.ErrBusy:
		return err
	}
	return abi.OK
}
