package main

import (
	"fmt"

	"skerry/abi/capability"
	invoke "skerry/lib/capability"
	"skerry/lib/native"
)

// showSlots takes a CNode and moves capabilities about in it.
func showSlots() error {
	cnode, err := native.CNode()
	if err != nil {
		return err
	}
	if err := describe("took a CNode", cnode); err != nil {
		return err
	}
	frame, err := newObject(capability.Frame, 4*kib)
	if err != nil {
		return err
	}
	at := func(slot uint32) capability.Reference { return capability.MakeReference(cnode.L1(), slot) }
	for slot := uint32(1); slot < capability.L2Slots; slot++ {
		if err := invoke.L2CNode(cnode).Copy(slot, frame); err != nil {
			return fmt.Errorf("slot %d: %w", slot, err)
		}
	}
	say("filled slots 1 to %d with copies of a frame", capability.L2Slots-1)
	err = invoke.L2CNode(cnode).Copy(0, frame)
	if err := refused("copy into slot 0", err); err != nil {
		return err
	}
	err = invoke.L2CNode(cnode).Copy(7, frame)
	if err := refused("copy into slot 7, which is full", err); err != nil {
		return err
	}
	if err := remove(at(7)); err != nil {
		return err
	}
	if err := invoke.L2CNode(cnode).Move(7, at(8)); err != nil {
		return err
	}
	say("deleted slot 7, moved slot 8 there")
	if err := refused("slot 8", invoke.Frame(at(8)).Nop()); err != nil {
		return err
	}
	if err := revoke(frame); err != nil {
		return err
	}
	if err := refused("revoked the frame's other copies: slot 7", invoke.Frame(at(7)).Nop()); err != nil {
		return err
	}
	if err := refused("a frame cannot be rung", invoke.Doorbell(frame).Ring()); err != nil {
		return err
	}
	return refused("a slot of a CNode that is not there", invoke.Frame(capability.MakeReference(capability.MaxL1Slots-1, 1)).Nop())
}
