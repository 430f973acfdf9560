package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// key is a place in the order of the database. Not every key is a slot's.
type key struct {
	first, size uint64
	kind        abi.Type
	identity    uint64
	slot        memory.Phys
}

// keyOf returns the place of the slot at an address.
func (s *System) keyOf(a memory.Phys) key {
	c := s.at(a)
	return key{c.first, c.size, c.kind, c.identity(), a}
}

// before reports whether k precedes the slot c at an address. It is inlined, and
// takes k.first from who calls it in a loop: mostly that alone decides.
func (k *key) before(first uint64, c *Slot, a memory.Phys) bool {
	return first < c.first || first == c.first && k.beforeAt(c, a)
}

// beforeAt is before for a slot that starts where k does.
//
//go:noinline
func (k *key) beforeAt(c *Slot, a memory.Phys) bool {
	switch {
	case k.size != c.size:
		return k.size > c.size // what contains precedes what it contains
	case k.kind != c.kind:
		return k.kind < c.kind
	case k.identity != c.identity():
		return k.identity < c.identity()
	}
	return k.slot < a
}

// beforeCopies and afterCopies return the keys just before and just after all
// copies of the capability in a slot.
func (s *System) beforeCopies(a memory.Phys) key {
	k := s.keyOf(a)
	k.slot = 0
	return k
}

func (s *System) afterCopies(a memory.Phys) key {
	k := s.keyOf(a)
	k.slot = ^memory.Phys(0)
	return k
}
