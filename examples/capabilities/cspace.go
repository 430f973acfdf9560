package main

import (
	"fmt"

	"skerry/abi/capability"
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
		if err := invoke(cnode, capability.L2CNodeCopy, uint64(slot), uint64(frame)); err != nil {
			return fmt.Errorf("slot %d: %w", slot, err)
		}
	}
	say("filled slots 1 to %d with copies of a frame", capability.L2Slots-1)
	err = invoke(cnode, capability.L2CNodeCopy, 0, uint64(frame))
	if err := refused("copy into slot 0", err); err != nil {
		return err
	}
	err = invoke(cnode, capability.L2CNodeCopy, 7, uint64(frame))
	if err := refused("copy into slot 7, which is full", err); err != nil {
		return err
	}
	if err := remove(at(7)); err != nil {
		return err
	}
	if err := invoke(cnode, capability.L2CNodeMove, 7, uint64(at(8))); err != nil {
		return err
	}
	say("deleted slot 7, moved slot 8 there")
	if err := refused("slot 8", invoke(at(8), capability.InvokeNop)); err != nil {
		return err
	}
	if err := revoke(frame); err != nil {
		return err
	}
	if err := refused("revoked the frame's other copies: slot 7", invoke(at(7), capability.InvokeNop)); err != nil {
		return err
	}
	if err := refused("a frame cannot be rung", invoke(frame, capability.DoorbellRing)); err != nil {
		return err
	}
	return refused("a slot of a CNode that is not there", invoke(capability.MakeReference(capability.MaxL1Slots-1, 1), capability.InvokeNop))
}
