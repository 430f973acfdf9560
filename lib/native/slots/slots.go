// Package slots puts copies of capabilities into slots of the program's own and
// deletes them again: what package capability can do, with the slots that package
// native gives.
//
// Native programs import it. Deleting may take several
// steps; each call of the kernel does one. On another system than Skerry all fail.
package slots

import (
	"errors"

	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
)

// Home returns the L2 CNode that a slot is of.
func Home(r capability.Reference) typed.L2CNode {
	return typed.L2CNode(capability.LevelOneReference(r.L1()))
}

// Copy puts a copy of a capability, which needs right Grant, into a slot that it takes.
func Copy(r capability.Reference) (capability.Reference, error) {
	return fill(func(slot capability.Reference) error { return Home(slot).Copy(slot.Slot(), r) })
}

// Mint is Copy with no more than some rights.
func Mint(r capability.Reference, rights capability.Rights) (capability.Reference, error) {
	return fill(func(slot capability.Reference) error { return Home(slot).Mint(slot.Slot(), r, rights) })
}

// Take moves a capability into a slot that it takes; the one it was in is empty then.
func Take(r capability.Reference) (capability.Reference, error) {
	return fill(func(slot capability.Reference) error { return Home(slot).Move(slot.Slot(), r) })
}

func fill(put func(capability.Reference) error) (capability.Reference, error) {
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	if err := put(slot); err != nil {
		return 0, errors.Join(err, native.FreeSlot(slot))
	}
	return slot, nil
}

// Drop deletes the capability in a slot from Copy, Mint, Take or native.Slot, and
// gives the slot back.
func Drop(r capability.Reference) error {
	if err := Empty(r); err != nil {
		return err
	}
	return native.FreeSlot(r)
}

// Empty deletes the capability in a slot, if there is one.
func Empty(r capability.Reference) error {
	for {
		err := Home(r).Delete(r.Slot())
		switch {
		case err == nil || errors.Is(err, capability.ErrEmpty):
			return nil
		case !errors.Is(err, capability.ErrPending) && !errors.Is(err, capability.ErrRevoking):
			return err
		}
	}
}
