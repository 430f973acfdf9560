package capability

import (
	"unsafe"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Slot holds one capability, or nothing. An all-zero slot is empty.
type Slot struct {
	// first is where the object's range starts: its space above spaceShift,
	// its number in that space below. size is its length.
	first, size uint64
	// word is, of a page table, its number (State.born); of a mapping, where
	// it is (mapping.go). While an object is being cleared it is the slot
	// before it in that list, while it is being deleted the number of the next
	// of its slots to look at.
	word uint64

	// child and level are the slot's place in the tree, end is the
	// greatest end of any range in its subtree.
	child [2]memory.Phys
	end   uint64

	// next is the slot after it in the list of what is being cleared or
	// deleted; a mapping, which is never on either, has its number there.
	next memory.Phys

	kind   abi.Type
	rights abi.Rights
	level  uint8
	state  state
	// owner and relations are kept in the first copy alone.
	owner     uint16
	relations abi.Relations
	// top is, of a page table, TopOf the top table of the address space that it is
	// part of, 0 if that is not known. The first copy has it right.
	top uint8
}

// state is what is being done to a slot's object.
type state uint8

const (
	live     state = iota
	clearing       // on the clear list, not ready
	deleting       // at home, on the delete list
	revoking       // in State.revocations
	lent           // RAM that another core has now
	imported       // another core's, to be mapped and nothing else
)

var _ [abi.SlotSize - unsafe.Sizeof(Slot{})]byte
var _ [unsafe.Sizeof(Slot{}) - abi.SlotSize]byte

// spaceShift is where the number of a space stands in Slot.first: no physical
// address reaches it.
const spaceShift = 56

// place returns where number base of a type's space stands in the order.
func place(t abi.Type, base uint64) uint64 {
	return uint64(abi.Of(t).Space)<<spaceShift | base
}

// base returns the object's first number in its space.
func (c *Slot) base() uint64 { return c.first & (1<<spaceShift - 1) }

// last returns the end of the object's range.
func (c *Slot) last() uint64 { return c.first + c.size }

// identity returns what tells objects of the same range and type apart:
// mappings, by their numbers.
func (c *Slot) identity() uint64 {
	if c.kind == abi.Mapping {
		return uint64(c.next)
	}
	return 0
}

// copies reports whether c and o are capabilities to the same object.
func (c *Slot) copies(o *Slot) bool {
	return c.first == o.first && c.size == o.size && c.kind == o.kind && c.identity() == o.identity()
}

// covers reports whether o's range lies in c's.
func (c *Slot) covers(o *Slot) bool { return c.first <= o.first && o.last() <= c.last() }

// at returns the slot at an address.
func (s *System) at(a memory.Phys) *Slot { return at(a, s.State.Offset) }

// at is System.at for loops, which read State.Offset once.
func at(a memory.Phys, offset uintptr) *Slot {
	return (*Slot)(unsafe.Pointer(uintptr(a) + offset))
}

// TypeOf, RightsOf, BaseOf and SizeOf return what the capability in a slot says
// of itself: type Null if the slot is empty.
func (s *System) TypeOf(a memory.Phys) abi.Type     { return s.at(a).kind }
func (s *System) RightsOf(a memory.Phys) abi.Rights { return s.at(a).rights }
func (s *System) BaseOf(a memory.Phys) uint64       { return s.at(a).base() }
func (s *System) SizeOf(a memory.Phys) uint64       { return s.at(a).size }
