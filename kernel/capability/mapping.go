package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Attach puts a mapping of the object in the slot source into the empty slot
// to. entry says where it is mapped: it tells mappings of one object apart, and
// is what the kernel needs to clear the entries when the mapping ends. The
// caller has checked source's type and rights, and writes the entries.
func (s *System) Attach(to, source memory.Phys, entry uint64) abi.Error {
	if err := s.usable(source, 0); err != abi.OK {
		return err
	}
	if s.beingRevoked(source) {
		return abi.ErrRevoking
	}
	c := s.at(source)
	m := Slot{
		first: c.first, size: c.size, word: entry,
		kind: abi.Mapping, rights: abi.Of(abi.Mapping).Rights, owner: uint16(s.Core),
	}
	k := key{m.first, m.size, m.kind, entry, 0}
	if next := s.ceiling(&k); next != 0 && s.at(next).copies(&m) {
		return abi.ErrInUse
	}
	*s.at(to) = m
	s.insert(to)
	return abi.OK
}
