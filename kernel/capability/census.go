package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Next describes the first object after a given one in the order of the
// database, and reports whether there is one. Mappings are left out. Of after,
// type, base and size count; it need not be there any longer. The zero
// Description stands before the first.
func (s *System) Next(after abi.Description) (abi.Description, bool) {
	k := key{size: ^uint64(0)}
	if after.Type != abi.Null {
		if after.Base >= 1<<spaceShift {
			return abi.Description{}, false
		}
		k = key{place(after.Type, after.Base), after.Size, after.Type, ^uint64(0), ^memory.Phys(0)}
	}
	a := s.ceiling(&k)
	if a != 0 && s.at(a).kind == abi.Mapping {
		// Behind all mappings of an object is another object.
		c := s.at(a)
		k = key{c.first, c.size, abi.Mapping, ^uint64(0), ^memory.Phys(0)}
		a = s.ceiling(&k)
	}
	if a == 0 {
		return abi.Description{}, false
	}
	return s.Identify(a), true
}
