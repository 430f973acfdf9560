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

// cnodeBytes is the size of an L2 CNode, cnodePages that in pages.
const (
	cnodeBytes = capability.L2Slots * capability.SlotSize
	cnodePages = cnodeBytes / pageSize
)

// cnodeSlots are those of a CNode that can be used: 0 is the kernel's.
const cnodeSlots = capability.L2Slots - 1

// keptSlots is how many slots must be free elsewhere before a CNode that is
// empty is deleted.
const keptSlots = cnodeSlots / 2

func cnodeAt(l1 uint32) *cnode {
	return at[cnode](space.tables + cnodesAt + uint64(l1)*uint64(unsafe.Sizeof(cnode{})))
}

// setRoom notes whether a CNode has free slots.
func setRoom(l1 uint32, has bool) {
	w, bit := &space.room[l1/64%uint32(len(space.room))], uint64(1)<<(l1%64)
	if has {
		*w |= bit
	} else {
		*w &^= bit
	}
}

// firstRoom returns the first CNode with free slots; there is one.
func firstRoom() uint32 {
	for i, w := range space.room {
		if w != 0 {
			return uint32(64*i + bits.TrailingZeros64(w))
		}
	}
	return FirstCNode // not reached
}

// addCNode makes another L2 CNode for slots.
func addCNode() capability.Error {
	l1, err := newCNode()
	if err != capability.OK {
		return err
	}
	*cnodeAt(l1) = cnode{free: [4]uint64{^uint64(1), ^uint64(0), ^uint64(0), ^uint64(0)}, left: cnodeSlots, kind: ownCNode}
	space.freeSlots += cnodeSlots
	setRoom(l1, true)
	return capability.OK
}

// newCNode makes an L2 CNode in an empty slot of the L1 CNode, a larger one if
// that is full.
func newCNode() (l1 uint32, err capability.Error) {
	for l1 = FirstCNode; l1 < space.cnodes && cnodeAt(l1).kind != noCNode; l1++ {
	}
	if l1 == space.cnodes {
		if err := growCSpace(); err != capability.OK {
			return 0, err
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

// dropCNode deletes an empty CNode, with the copy in an old L1 CNode if there is
// one. The CPU driver may go on with that for a while: see retypeIn.
func dropCNode(l1 uint32) {
	cspace := capability.Base(capability.SlotCSpace)
	if revokeIn(cspace, l1) != capability.OK || removeIn(cspace, l1) != capability.OK {
		return // its slots can be used on
	}
	r := recordAt(capability.MakeReference(l1, 0))
	giveObject(r.block, uint64(r.page), uint64(r.count))
	*r = record{}
	*cnodeAt(l1) = cnode{}
	space.freeSlots -= cnodeSlots
	setRoom(l1, false)
	if space.cnode == l1 {
		space.cnode = 0
	}
}

// growCSpace puts an L1 CNode of twice the size, but of a block at least, in the
// place of the one there is, with copies of all that this holds. If it fails,
// nothing has changed. Memory of L1 CNodes is never given back: other dispatchers
// of the program may still have an old one, and what all old ones take together
// is less than what the last one does.
func growCSpace() capability.Error {
	if space.cnodes >= space.mostCNodes {
		return capability.ErrMemory
	}
	cspace := capability.Base(capability.SlotCSpace)
	if err := identify(cspace); err != capability.OK {
		return err
	}
	old := description.Size
	if old > MaxCNodes/2*capability.SlotSize {
		return capability.ErrMemory
	}
	size := max(2*old, blockBytes)
	n := uint32(size / blockBytes)
	b, err := takeBlocks(n)
	if err != capability.OK {
		return err
	}
	source, offset := memoryOf(b)
	err = retype(space.larger, source, capability.L1CNode, offset, size)
	for i := uint32(1); i < uint32(old/capability.SlotSize) && err == capability.OK; i++ {
		if err = copyCNode(space.larger, i); err == capability.ErrEmpty {
			err = capability.OK
		}
	}
	if err == capability.OK {
		err = setCSpace(space.larger)
	}
	if err != capability.OK {
		if e := remove(space.larger); e == capability.OK || e == capability.ErrEmpty {
			releaseBlocks(b, n)
		}
		return err
	}
	// What keeps the old one from going is the program's own doing.
	if err = remove(cspace); err == capability.OK {
		err = move(cspace, space.larger)
	}
	space.cnodes = min(uint32(size/capability.SlotSize), space.mostCNodes)
	return err
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
