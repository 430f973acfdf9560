package vspace

import (
	"math/bits"
	"unsafe"

	"skerry/abi/capability"
)

// record says what a slot holds.
type record struct {
	// source is the frame whose pages, count from number page on, are mapped;
	// block is where its memory lies, if that is the space's own. For an object
	// page and count say where it lies in its block.
	source capability.Reference
	page   uint32
	block  uint32
	count  uint16
	kind   uint8
	_      uint8
}

const recordSize = unsafe.Sizeof(record{})

// Kinds of record.
const (
	recordNone    uint8 = iota
	recordObject        // a page table or CNode
	recordChunk         // a mapping of pages of a chunk
	recordHuge          // a mapping of pages of a frame of 2 MiB
	recordForeign       // a mapping of pages that are not the space's own
	recordLent          // from Slot: the program's
)

func recordAt(r capability.Reference) *record {
	return at[record](space.tables + recordsAt + uint64(r)*uint64(recordSize))
}

// slot takes an empty slot.
func slot() (capability.Reference, capability.Error) {
	if space.freeSlots == 0 {
		if err := addCNode(); err != capability.OK {
			return 0, err
		}
	}
	if space.cnode == 0 || cnodeAt(space.cnode).left == 0 {
		space.cnode = firstRoom()
	}
	c := cnodeAt(space.cnode)
	for i := range c.free {
		if w := c.free[i]; w != 0 {
			bit := bits.TrailingZeros64(w)
			c.free[i] = w & (w - 1)
			if c.left--; c.left == 0 {
				setRoom(space.cnode, false)
			}
			space.freeSlots--
			return capability.MakeReference(space.cnode, uint32(64*i+bit)), capability.OK
		}
	}
	return 0, capability.ErrMemory
}

// freeSlot gives an empty slot back.
func freeSlot(r capability.Reference) {
	*recordAt(r) = record{}
	l1, i := r.L1(), r.Slot()
	c := cnodeAt(l1)
	c.free[i/64] |= 1 << (i % 64)
	if c.left++; c.left == 1 {
		setRoom(l1, true)
	}
	space.freeSlots++
	if c.left == cnodeSlots && space.freeSlots >= cnodeSlots+keptSlots {
		dropCNode(l1)
	}
}

// Slot takes an empty slot of the CSpace for the program. Its error is ErrMemory
// or one of Supply.
func Slot() (capability.Reference, capability.Error) {
	r, err := slot()
	if err == capability.OK {
		*recordAt(r) = record{kind: recordLent}
	}
	return r, err
}

// FreeSlot gives back a slot from Slot, which must be empty. ErrReference if it
// is none, ErrOccupied if it is not empty.
func FreeSlot(slot capability.Reference) capability.Error {
	if !lent(slot) {
		return capability.ErrReference
	}
	if nop(slot) != capability.ErrEmpty {
		return capability.ErrOccupied
	}
	freeSlot(slot)
	return capability.OK
}

// lent says whether a slot is from Slot.
func lent(slot capability.Reference) bool {
	return slot.Valid() && slot&capability.LevelOne == 0 && slot.L1() < MaxCNodes && recordAt(slot).kind == recordLent
}
