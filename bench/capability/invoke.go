package main

import (
	"skerry/abi/capability"
	"skerry/lib/native"
)

// must ends the program where something fails that worked before.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// invoke asks something of a capability.
func invoke(r capability.Reference, i capability.Invocation, arguments ...uint64) error {
	var a capability.Arguments
	copy(a[:], arguments)
	if _, err := native.Invoke(capability.Word(r, i), &a); err != capability.OK {
		return err
	}
	return nil
}

// cnodeOf returns the reference to the CNode that a slot lies in.
func cnodeOf(slot capability.Reference) capability.Reference {
	return capability.LevelOneReference(slot.L1())
}

// patiently repeats what the kernel has begun, or cannot do yet, until it is
// done.
func patiently(do func() error) error {
	for {
		switch err := do(); err {
		case capability.ErrPending, capability.ErrRevoking, capability.ErrNotReady, capability.ErrBusy:
		default:
			return err
		}
	}
}

// retype makes objects one after the other, from an offset on, puts them into
// slots of a CNode from the given one on, and waits until they are ready.
func retype(slot capability.Reference, count int, source capability.Reference, t capability.Type, offset, size uint64) error {
	for count > 0 {
		n := min(count, capability.MaxRetype)
		err := invoke(cnodeOf(slot), capability.L2CNodeRetype, uint64(slot.Slot())|uint64(n)<<32, uint64(source), uint64(t), offset, size)
		slot, count, offset = slot+capability.Reference(n), count-n, offset+uint64(n)*size
		if err == capability.ErrPending {
			last := slot - 1
			err = patiently(func() error { return invoke(last, capability.InvokeNop) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove empties a slot.
func remove(slot capability.Reference) error {
	return patiently(func() error { return invoke(cnodeOf(slot), capability.L2CNodeDelete, uint64(slot.Slot())) })
}

// takeRAM takes RAM, a power of two, into a slot of its own.
func takeRAM(bytes uint64) (capability.Reference, error) {
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	return slot, native.RAM(bytes, slot)
}

// giveBack gives back RAM of which nothing is made any more.
func giveBack(ram capability.Reference) { must(native.GiveRAM(ram)) }

// left are slots of the program's own CNodes: the next, and how many follow.
var left struct {
	next capability.Reference
	n    int
}

// takeSlots takes slots that follow each other in one CNode, for good.
func takeSlots(n int) (capability.Reference, error) {
	if left.n < n {
		cnode, err := native.CNode()
		if err != nil {
			return 0, err
		}
		left.next, left.n = capability.MakeReference(cnode.L1(), 1), usable
	}
	first := left.next
	left.next += capability.Reference(n)
	left.n -= n
	return first, nil
}
