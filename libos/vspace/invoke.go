package vspace

import (
	"unsafe"

	"skerry/abi/capability"
)

// The ways out. Functions of Config are kept as words: storing a func would
// take a write barrier. Each is called in one place, which host/check knows.

//go:noinline
func invoke(word, a, b, c, d, e uint64) (uint64, capability.Error) {
	space.seen, space.seenProt = 0, 0
	f := *(*func(word, a, b, c, d, e uint64) (uint64, capability.Error))(unsafe.Pointer(&space.kernel))
	return f(word, a, b, c, d, e)
}

//go:noinline
func supply(number uint32, size uint64, frame bool) (uint64, capability.Error) {
	f := *(*func(uint32, uint64, bool) (uint64, capability.Error))(unsafe.Pointer(&space.supply))
	return f(number, size, frame)
}

//go:noinline
func giveBack(number uint32) {
	f := *(*func(uint32))(unsafe.Pointer(&space.giveBack))
	f(number)
}

// forget waits until no other core has a translation of what was taken away. Until
// then its memory must not be used for anything else.
func forget() {
	if space.taken || space.takenFrom != 0 {
		space.taken = false
		awaitOthers()
		space.takenFrom = 0
	}
}

//go:noinline
func awaitOthers() {
	f := *(*func())(unsafe.Pointer(&space.settle))
	f()
}

// awaitKernels waits until RAM is not held back for what other cores may still
// reach. However long they take, it is not to be counted in attempts: they may be
// processors of a host that runs others now.
//
//go:noinline
func awaitKernels() {
	if space.await != 0 {
		f := *(*func())(unsafe.Pointer(&space.await))
		f()
	}
}

// patience is how often something that the CPU driver does in its own time is
// asked for again. Each call lets it get on.
const patience = 1 << 16

// nop asks nothing of a capability: its error says how it is.
func nop(r capability.Reference) capability.Error {
	_, err := invoke(capability.Word(r, capability.InvokeNop), 0, 0, 0, 0, 0)
	return err
}

// identify has the capability described, in description.
func identify(r capability.Reference) capability.Error {
	_, err := invoke(capability.Word(r, capability.InvokeIdentify), uint64(uintptr(unsafe.Pointer(&description))), 0, 0, 0, 0)
	return err
}

// holder returns the CNode that a slot of level two lies in.
func holder(slot capability.Reference) capability.Reference {
	return capability.LevelOneReference(slot.L1())
}

// retypeIn makes an object and waits until it is ready. What was deleted lately
// may still be in the way, and what other cores have not forgotten.
func retypeIn(cnode capability.Reference, index uint32, source capability.Reference, t capability.Type, offset, size uint64) capability.Error {
	for range patience {
		_, err := invoke(capability.Word(cnode, capability.L2CNodeRetype), uint64(index)|1<<32, uint64(source), uint64(t), offset, size)
		switch {
		case err == capability.ErrInUse && nop(cnode) == capability.OK:
			awaitKernels()
		case err == capability.ErrPending && t != capability.L2CNode:
			return ready(capability.MakeReference(cnode.L1(), index))
		case err == capability.ErrPending:
			return ready(capability.LevelOneReference(index))
		default:
			return err
		}
	}
	return capability.ErrInUse
}

// retype makes an object in a slot of level two.
func retype(slot, source capability.Reference, t capability.Type, offset, size uint64) capability.Error {
	return retypeIn(holder(slot), slot.Slot(), source, t, offset, size)
}

// ready waits until the memory of a new object has been cleared.
func ready(r capability.Reference) capability.Error {
	for range patience {
		if err := nop(r); err != capability.ErrNotReady {
			return err
		}
	}
	return capability.ErrNotReady
}

// copyCNode copies the CNode in a slot of the CSpace's L1 CNode to the same slot
// of another one.
func copyCNode(l1 capability.Reference, index uint32) capability.Error {
	_, err := invoke(capability.Word(l1, capability.L1CNodeCopy), uint64(index), uint64(capability.LevelOneReference(index)), 0, 0, 0)
	return err
}

// setCSpace makes an L1 CNode the one that references mean slots of.
func setCSpace(l1 capability.Reference) capability.Error {
	for range patience {
		_, err := invoke(capability.Word(capability.Base(capability.SlotDispatcher), capability.DispatcherSetCSpace), uint64(l1), 0, 0, 0, 0)
		if err != capability.ErrPending && err != capability.ErrBusy {
			return err
		}
	}
	return capability.ErrBusy
}

// move moves what a slot of level two holds to another one.
func move(slot, source capability.Reference) capability.Error {
	_, err := invoke(capability.Word(holder(slot), capability.L2CNodeMove), uint64(slot.Slot()), uint64(source), 0, 0, 0)
	return err
}

// remove empties a slot of level two.
func remove(slot capability.Reference) capability.Error {
	return removeIn(holder(slot), slot.Slot())
}

func removeIn(cnode capability.Reference, index uint32) capability.Error {
	for range patience {
		_, err := invoke(capability.Word(cnode, capability.L2CNodeDelete), uint64(index), 0, 0, 0, 0)
		if err != capability.ErrPending && err != capability.ErrBusy {
			return err
		}
	}
	return capability.ErrBusy
}

// revoke deletes what was made of the object in a slot, and its other copies.
func revoke(slot capability.Reference) capability.Error {
	return revokeIn(holder(slot), slot.Slot())
}

func revokeIn(cnode capability.Reference, index uint32) capability.Error {
	for range patience {
		_, err := invoke(capability.Word(cnode, capability.L2CNodeRevoke), uint64(index), 0, 0, 0, 0)
		switch err {
		case capability.ErrPending, capability.ErrRevoking, capability.ErrBusy:
		default:
			return err
		}
	}
	return capability.ErrBusy
}

// mapEntries maps count pages of a source from an offset on, or a table, into
// the entries of a table from first on.
func mapEntries(table capability.Reference, first, count uint64, source, mapping capability.Reference, offset, prot uint64) capability.Error {
	_, err := invoke(capability.Word(table, capability.PageTable1Map), first|count<<32, uint64(source), uint64(mapping), offset, prot)
	return err
}

// unmapAll ends a mapping of count entries, whose first is at an address. Its
// slot is empty then, unless it returns an error.
func unmapAll(mapping capability.Reference, count, address uint64) capability.Error {
	space.taken = space.settles
	_, err := invoke(capability.Word(mapping, capability.MappingUnmap), 0, count, address, 0, 0)
	switch err {
	case capability.OK, capability.ErrEmpty:
		return capability.OK // empty: it went with what it mapped
	}
	return remove(mapping)
}

// protectEntries changes the protection of some entries of a mapping, the first
// of which is at an address.
func protectEntries(mapping capability.Reference, first, count, prot, address uint64) capability.Error {
	space.taken = space.settles
	_, err := invoke(capability.Word(mapping, capability.MappingProtect), first, count, prot, address, 0)
	if err == capability.ErrEmpty {
		return capability.OK
	}
	return err
}
