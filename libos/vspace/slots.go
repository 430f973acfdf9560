package vspace

import (
	"math/bits"
	"unsafe"

	"skerry/abi/capability"
)

// cnode says which slots of an L2 CNode are free.
type cnode struct {
	free [capability.L2Slots / 64]uint64
	left uint32 // how many are free
	kind uint32
}

// Kinds of cnode.
const (
	noCNode   = iota
	ownCNode  // slots are taken of it
	lentCNode // from CNode: the program's
)

// Slots of a CNode that can be used: 0 is the kernel's.
const cnodeSlots = capability.L2Slots - 1

// keptSlots is how many slots must be free elsewhere before a CNode that is
// empty is deleted.
const keptSlots = cnodeSlots / 2

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

func cnodeAt(l1 uint32) *cnode {
	return at[cnode](space.tables + cnodesAt + uint64(l1)*uint64(unsafe.Sizeof(cnode{})))
}

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
		space.cnode = FirstCNode
		for cnodeAt(space.cnode).left == 0 {
			space.cnode++
		}
	}
	c := cnodeAt(space.cnode)
	for i := range c.free {
		if w := c.free[i]; w != 0 {
			bit := bits.TrailingZeros64(w)
			c.free[i] = w & (w - 1)
			c.left--
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
	c.left++
	space.freeSlots++
	if c.left == cnodeSlots && space.freeSlots >= cnodeSlots+keptSlots {
		dropCNode(l1)
	}
}

// addCNode makes another L2 CNode for slots.
func addCNode() capability.Error {
	l1, err := newCNode()
	if err != capability.OK {
		return err
	}
	*cnodeAt(l1) = cnode{free: [4]uint64{^uint64(1), ^uint64(0), ^uint64(0), ^uint64(0)}, left: cnodeSlots, kind: ownCNode}
	space.freeSlots += cnodeSlots
	return capability.OK
}

// cnodeBytes is the size of an L2 CNode, cnodePages that in pages.
const (
	cnodeBytes = capability.L2Slots * capability.SlotSize
	cnodePages = cnodeBytes / pageSize
)

// newCNode makes an L2 CNode in an empty slot of the L1 CNode.
func newCNode() (l1 uint32, err capability.Error) {
	for l1 = FirstCNode; cnodeAt(l1).kind != noCNode; l1++ {
		if l1+1 == space.cnodes {
			return 0, capability.ErrMemory
		}
	}
	block, page, err := takeObject(cnodePages)
	if err != capability.OK {
		return 0, err
	}
	source, offset := memoryOf(block)
	err = retypeIn(capability.Base(capability.SlotCSpace), l1, source, capability.L2CNode, offset+page*pageSize, cnodeBytes)
	if err != capability.OK {
		giveObject(block, page, cnodePages)
		return 0, err
	}
	// Slot 0 is the kernel's, so that its record can say where the CNode lies.
	*recordAt(capability.MakeReference(l1, 0)) = record{block: block, page: uint32(page), count: cnodePages, kind: recordObject}
	return l1, capability.OK
}

// dropCNode deletes an empty CNode. The CPU driver may go on with that for a
// while: see retypeIn.
func dropCNode(l1 uint32) {
	if removeIn(capability.Base(capability.SlotCSpace), l1) != capability.OK {
		return // its slots can be used on
	}
	r := recordAt(capability.MakeReference(l1, 0))
	giveObject(r.block, uint64(r.page), uint64(r.count))
	*r = record{}
	*cnodeAt(l1) = cnode{}
	space.freeSlots -= cnodeSlots
	if space.cnode == l1 {
		space.cnode = 0
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

// CNode takes a whole empty L2 CNode, for good: it returns the reference of level
// one of the slot that holds it.
func CNode() (capability.Reference, capability.Error) {
	l1, err := newCNode()
	if err != capability.OK {
		return 0, err
	}
	*cnodeAt(l1) = cnode{kind: lentCNode}
	return capability.LevelOneReference(l1), capability.OK
}
