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
	// word is the type's own; see identified. While an object is being
	// cleared it is the slot before it in that list, while it is being
	// deleted the number of the next of its slots to look at.
	word uint64

	// left, right and level are the slot's place in the tree, end the
	// greatest end of any range in its subtree.
	left, right memory.Phys
	end         uint64

	// next is the slot after it in the list of what is being cleared or
	// deleted.
	next memory.Phys

	kind   abi.Type
	rights abi.Rights
	level  uint8
	state  state
	// owner and relations are kept in the first copy alone.
	owner     uint16
	relations abi.Relations
	_         uint8
}

// state is what is being done to a slot's object.
type state uint8

const (
	live     state = iota
	clearing       // on the clear list, not ready
	deleting       // at home, on the delete list
	revoking       // in State.revocations
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

// identified reports whether word tells objects of the same range and type
// apart.
func identified(t abi.Type) bool { return t == abi.Mapping }

// identity returns what tells objects of the same range and type apart.
func (c *Slot) identity() uint64 {
	if identified(c.kind) {
		return c.word
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
func (s *System) at(a memory.Phys) *Slot {
	return (*Slot)(unsafe.Pointer(uintptr(a) + s.State.Offset))
}
