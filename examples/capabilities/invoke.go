package main

import (
	"fmt"

	"skerry/abi/capability"
	"skerry/lib/native"
)

// invoke asks something of a capability.
func invoke(r capability.Reference, i capability.Invocation, arguments ...uint64) error {
	var a capability.Arguments
	copy(a[:], arguments)
	if _, err := native.Invoke(capability.Word(r, i), &a); err != capability.OK {
		return err
	}
	return nil
}

// patiently repeats what the kernel has begun until it is done.
func patiently(do func() error) error {
	for {
		switch err := do(); err {
		case capability.ErrPending, capability.ErrRevoking, capability.ErrNotReady, capability.ErrBusy:
		default:
			return err
		}
	}
}

// slots takes empty slots.
func slots(n int) ([]capability.Reference, error) {
	list := make([]capability.Reference, n)
	for i := range list {
		var err error
		if list[i], err = native.Slot(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// takeRAM takes RAM into a slot of its own.
func takeRAM(bytes uint64) (capability.Reference, error) {
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	return slot, native.RAM(bytes, slot)
}

// cnodeOf returns the reference to the CNode that a slot lies in.
func cnodeOf(slot capability.Reference) capability.Reference {
	return capability.LevelOneReference(slot.L1())
}

// retype makes objects one after the other, from an offset into the source on,
// puts them into slots from the given one on, and waits until they are ready.
func retype(slot capability.Reference, count int, source capability.Reference, t capability.Type, offset, size uint64) error {
	err := invoke(cnodeOf(slot), capability.L2CNodeRetype, uint64(slot.Slot())|uint64(count)<<32, uint64(source), uint64(t), offset, size)
	if err != capability.ErrPending {
		return err
	}
	last := slot + capability.Reference(count-1)
	return patiently(func() error { return invoke(last, capability.InvokeNop) })
}

// newObject makes an object out of RAM of its own.
func newObject(t capability.Type, bytes uint64) (capability.Reference, error) {
	ram, err := takeRAM(bytes)
	if err != nil {
		return 0, err
	}
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	return slot, retype(slot, 1, ram, t, 0, bytes)
}

// mint puts a copy with some of the source's rights into an empty slot.
func mint(slot, source capability.Reference, r capability.Rights) error {
	return invoke(cnodeOf(slot), capability.L2CNodeMint, uint64(slot.Slot()), uint64(source), uint64(r))
}

// remove empties a slot.
func remove(slot capability.Reference) error {
	return patiently(func() error { return invoke(cnodeOf(slot), capability.L2CNodeDelete, uint64(slot.Slot())) })
}

// revoke deletes all other copies of a capability and all that was made of its
// object, and returns when that is done.
func revoke(slot capability.Reference) error {
	return patiently(func() error { return invoke(cnodeOf(slot), capability.L2CNodeRevoke, uint64(slot.Slot())) })
}

// describe says what the capability in a slot is.
func describe(what string, slot capability.Reference) error {
	d, err := native.Identify(slot)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	say("%s: %v, %d KiB, rights %s", what, d.Type, d.Size>>10, rights(d.Rights))
	return nil
}
