package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// An import is a capability to an object of another core: one slot, since it has
// no right Grant, in state imported. The other core's monitor keeps the object in
// being until the import is deleted; here it can be the source of mappings, which
// end with it, and nothing else. Its memory is not this core's: nothing may read
// or write it.

// importRights are those that an import has, as far as they exist for its type:
// those to map it.
const importRights = abi.RightRead | abi.RightWrite | abi.RightExecute | abi.RightControl

// Import puts a capability to a Frame or a PageTable3 of another core into the
// empty slot to. Its range must be apart from all there is, or in RAM that has
// been lent and in which nothing else is: else ErrInUse.
func (s *System) Import(to memory.Phys, t abi.Type, base, size uint64, owner uint32) abi.Error {
	switch {
	case t != abi.Frame && t != abi.PageTable3:
		return abi.ErrType
	case !t.Fits(base, size):
		return abi.ErrRange
	case owner == s.Core || owner > 1<<16-1:
		return abi.ErrArgument
	}
	switch found, in := s.Range(t, base, size); {
	case found == Nothing:
	case found == Surrounding && s.at(in).state == lent:
	default:
		return abi.ErrInUse
	}
	if err := s.Create(to, Object{Type: t, Base: base, Size: size}, importRights); err != abi.OK {
		return err
	}
	c := s.at(to)
	c.state, c.owner, c.relations = imported, uint16(owner), abi.RemoteCopies
	return abi.OK
}

// Imported reports whether the capability in a slot is one to another core's
// object, made by Import.
func (s *System) Imported(a memory.Phys) bool { return s.at(a).state == imported }
