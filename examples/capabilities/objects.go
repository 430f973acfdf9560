package main

import (
	"errors"
	"fmt"

	"skerry/abi/capability"
	invoke "skerry/lib/capability"
	"skerry/lib/native"
)

// patiently repeats what the kernel has begun until it is done.
func patiently(do func() error) error {
	for {
		err := do()
		switch {
		case errors.Is(err, capability.ErrPending), errors.Is(err, capability.ErrRevoking), errors.Is(err, capability.ErrNotReady):
		default:
			return err
		}
	}
}

// home returns the CNode that a slot lies in.
func home(slot capability.Reference) invoke.L2CNode {
	return invoke.L2CNode(capability.LevelOneReference(slot.L1()))
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

// retype makes objects one after the other, from an offset into the source on,
// puts them into slots from the given one on, and waits until they are ready.
func retype(slot capability.Reference, count uint32, source capability.Reference, t capability.Type, offset, size uint64) error {
	err := home(slot).Retype(slot.Slot(), count, source, t, offset, size)
	if !errors.Is(err, capability.ErrPending) {
		return err
	}
	last := slot + capability.Reference(count-1)
	return patiently(invoke.RAM(last).Nop) // any type has Nop
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
	return home(slot).Mint(slot.Slot(), source, r)
}

// remove empties a slot.
func remove(slot capability.Reference) error {
	return patiently(func() error { return home(slot).Delete(slot.Slot()) })
}

// revoke deletes all other copies of a capability and all that was made of its
// object, and returns when that is done.
func revoke(slot capability.Reference) error {
	return patiently(func() error { return home(slot).Revoke(slot.Slot()) })
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
