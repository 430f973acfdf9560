package main

import (
	"skerry/abi"
	"skerry/abi/capability"
)

const (
	objects   = 128                                      // different ones in a tree
	batch     = 32                                       // CNodes made at a time
	cnodeSize = capability.L2Slots * capability.SlotSize // bytes
	usable    = capability.L2Slots - 1                   // slots of a CNode
)

// tree is a capability with descendants: frames of a page, and copies of them.
// The zero tree has none.
type tree struct {
	size   int // descendants
	root   capability.Reference
	frames capability.Reference // the first of the frames' slots
	room   []room
}

// room is where copies lie: CNodes that are nowhere in the CSpace but in slots.
type room struct {
	ram    capability.Reference
	cnodes capability.Reference // the first of a batch
}

// grow makes descendants until there are n.
func (t *tree) grow(n int) error {
	if t.root == 0 {
		var err error
		if t.root, err = takeRAM(objects * abi.PageSize); err != nil {
			return err
		}
		if t.frames, err = takeSlots(objects); err != nil {
			return err
		}
	}
	if t.size < objects {
		count := min(n, objects) - t.size
		at := t.frames + capability.Reference(t.size)
		if err := retype(at, count, t.root, capability.Frame, uint64(t.size)*abi.PageSize, abi.PageSize); err != nil {
			return err
		}
		t.size += max(count, 0)
	}
	for ; t.size < n; t.size++ {
		copies := t.size - objects
		if copies/(batch*usable) == len(t.room) {
			r, err := makeRoom()
			if err != nil {
				return err
			}
			t.room = append(t.room, r)
		}
		cnode := t.room[copies/(batch*usable)].cnodes + capability.Reference(copies/usable%batch)
		source := t.frames + capability.Reference(copies%objects)
		if err := invoke(cnode, capability.L2CNodeCopy, uint64(1+copies%usable), uint64(source)); err != nil {
			return err
		}
	}
	return nil
}

// revoke deletes all descendants and returns when they are gone.
func (t *tree) revoke() {
	must(patiently(func() error {
		return invoke(cnodeOf(t.root), capability.L2CNodeRevoke, uint64(t.root.Slot()))
	}))
	t.size = 0
}

// close deletes all that the tree consists of.
func (t *tree) close() {
	t.revoke()
	giveBack(t.root)
	for _, r := range t.room {
		for i := range capability.Reference(batch) {
			must(remove(r.cnodes + i))
		}
		giveBack(r.ram)
	}
	*t = tree{}
}

// makeRoom makes a batch of CNodes.
func makeRoom() (r room, err error) {
	if r.ram, err = takeRAM(batch * cnodeSize); err != nil {
		return r, err
	}
	if r.cnodes, err = takeSlots(batch); err != nil {
		return r, err
	}
	return r, retype(r.cnodes, batch, r.ram, capability.L2CNode, 0, cnodeSize)
}
