package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// An import is a capability to an object of another core, in state imported, as all its
// copies are. The other core's monitor keeps the object in being until the last of them
// is deleted; here it can be the source of mappings, which end with it, and nothing
// else. Its memory is not this core's: nothing may read or write it.

// importRights returns those that an import can have: those to map it, and of a frame
// that to copy it. A table is imported once.
func importRights(t abi.Type) abi.Rights {
	rights := abi.RightRead | abi.RightWrite | abi.RightExecute | abi.RightControl
	if t == abi.Frame {
		rights |= abi.RightGrant
	}
	return rights & abi.Of(t).Rights
}

// Import puts a capability to a Frame or a PageTable3 of another core, with at most
// some rights, into the empty slot to. Its range must be apart from all there is, or
// in RAM that has been lent and in which nothing else is, or it is a Frame that has
// been imported from that core before: else ErrInUse.
func (s *System) Import(to memory.Phys, t abi.Type, base, size uint64, owner uint32, rights abi.Rights) abi.Error {
	switch {
	case t != abi.Frame && t != abi.PageTable3:
		return abi.ErrType
	case !t.Fits(base, size):
		return abi.ErrRange
	case owner == s.Core || owner > 1<<16-1:
		return abi.ErrArgument
	}
	rights &= importRights(t)
	if twin := s.importOf(t, base, size); twin != 0 && t == abi.Frame {
		if uint32(s.at(s.firstCopy(twin)).owner) != owner {
			return abi.ErrInUse
		}
		c := s.at(to)
		if c.kind != abi.Null {
			return abi.ErrOccupied
		}
		*c = Slot{first: place(t, base), size: size, kind: t, rights: rights, state: imported}
		s.join(to, twin)
		return abi.OK
	}
	switch found, in := s.Range(t, base, size); {
	case found == Nothing:
	case found == Surrounding && s.at(in).state == lent:
	default:
		return abi.ErrInUse
	}
	if err := s.Create(to, Object{Type: t, Base: base, Size: size}, rights); err != abi.OK {
		return err
	}
	c := s.at(to)
	c.state, c.owner, c.relations = imported, uint16(owner), abi.RemoteCopies
	return abi.OK
}

// importOf returns the first slot with an import of a range, 0 if there is none.
func (s *System) importOf(t abi.Type, base, size uint64) memory.Phys {
	k := key{first: place(t, base), size: size, kind: t}
	a := s.ceiling(&k)
	if a == 0 {
		return 0
	}
	if c := s.at(a); c.state != imported || c.first != k.first || c.size != size || c.kind != t {
		return 0
	}
	return a
}

// Expel deletes all imports whose range lies in [base, base+size), a few at a time:
// ErrPending if there are more, ErrRange if something else is there that cannot be
// expelled, such as a part of an import. RAM that was lent stays.
func (s *System) Expel(base, size uint64) abi.Error {
	if !abi.Frame.Fits(base, size) || base|size >= 1<<spaceShift {
		return abi.ErrRange
	}
	k := key{first: place(abi.Frame, base), size: ^uint64(0)}
	end := k.first + size
	for done := 0; done < atOnce; {
		a := s.ceiling(&k)
		if a == 0 {
			return abi.OK
		}
		switch c := s.at(a); {
		case c.first >= end:
			return abi.OK
		case c.state == lent:
			k = s.keyOf(a) // there is no more of these than there are loan units in the range
		case c.state != imported || c.last() > end:
			return abi.ErrRange
		default:
			if err := s.delete(a); err != abi.OK && err != abi.ErrPending {
				return err
			}
			done++
		}
	}
	return abi.ErrPending
}

// Imported reports whether the capability in a slot is one to another core's
// object, made by Import.
func (s *System) Imported(a memory.Phys) bool { return s.at(a).state == imported }
