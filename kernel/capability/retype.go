package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// MaxRetype is how many objects one retype makes at most.
const MaxRetype = abi.MaxRetype

// Retype makes count objects of a type, each of size, from offset on in the
// object of the slot source, and puts them into the slots from to on, which
// are empty, in one CNode. It returns ErrPending if they are made but not yet
// ready: their memory is cleared by Step. It returns ErrInUse if something is
// made of the range already, and, if RAM is to become something else, while other
// cores may still reach memory that was unmapped.
func (s *System) Retype(to, source memory.Phys, t abi.Type, offset, size, count uint64) abi.Error {
	c := s.at(source)
	if err := s.usable(source, abi.RightRetype); err != abi.OK {
		return err
	}
	switch {
	case !t.MadeOf(c.kind):
		return abi.ErrParent
	case count == 0 || count > MaxRetype:
		return abi.ErrArgument
	case offset < abi.Of(c.kind).Offers || offset > c.size || size > (c.size-offset)/count || !t.Fits(c.base()+offset, size):
		return abi.ErrRange
	case t == c.kind && size == c.size:
		return abi.ErrRange // would be a copy
	case s.beingRevoked(source):
		return abi.ErrRevoking
	}
	held := s.at(s.firstCopy(source))
	if !s.ownedHere(held) || held.relations&(abi.RemoteCopies|abi.RemoteDescendants) != 0 {
		return abi.ErrRemote
	}
	first := c.first + offset
	if s.made(source, first, first+size*count) != 0 {
		return abi.ErrInUse
	}
	if c.kind == abi.RAM && t != abi.RAM && !s.Kernel.Settled() {
		return abi.ErrInUse
	}
	rule := abi.Of(t)
	made := Slot{
		size: size, kind: t, owner: uint16(s.Core),
		// What the source could have had and has not, it does not give, but
		// for Revoke: what one has made, one may take back.
		rights:    rule.Rights &^ (abi.Of(c.kind).Rights &^ c.rights &^ abi.RightRevoke),
		relations: held.relations & abi.RemoteAncestors,
	}
	// The last first: the ends kept in the tree then change once.
	for i := count; i > 0; i-- {
		a := to + memory.Phys((i-1)*abi.SlotSize)
		made.first = first + (i-1)*size
		*s.at(a) = made
		s.insert(a)
	}
	if rule.Zeroed && c.kind == abi.RAM {
		for i := range count {
			s.clearLater(to + memory.Phys(i*abi.SlotSize))
		}
	}
	s.stepClear()
	if last := to + memory.Phys((count-1)*abi.SlotSize); s.at(last).state == clearing {
		return abi.ErrPending
	}
	return abi.OK
}
