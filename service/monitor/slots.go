package main

import (
	"errors"

	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
)

// slots are empty slots of the monitor's CSpace.
type slots struct{ free []capability.Reference }

// take takes an empty slot.
func (s *slots) take() (capability.Reference, error) {
	if len(s.free) == 0 {
		cnode, err := native.CNode()
		if err != nil {
			return 0, err
		}
		for slot := uint32(capability.L2Slots - 1); slot > 0; slot-- {
			s.free = append(s.free, capability.MakeReference(cnode.L1(), slot))
		}
	}
	last := len(s.free) - 1
	r := s.free[last]
	s.free = s.free[:last]
	return r, nil
}

// give gives an empty slot back.
func (s *slots) give(r capability.Reference) { s.free = append(s.free, r) }

// fill takes a slot and has it filled, or gives it back.
func (s *slots) fill(fill func(slot capability.Reference) error) (capability.Reference, error) {
	r, err := s.take()
	if err != nil {
		return 0, err
	}
	if err := fill(r); err != nil {
		s.give(r)
		return 0, err
	}
	return r, nil
}

// empty deletes what is in a slot, if anything, and gives it back. 0 stands for
// no slot.
func (s *slots) empty(r capability.Reference) error {
	if r == 0 {
		return nil
	}
	if err := remove(r); err != nil {
		return err
	}
	s.give(r)
	return nil
}

// cnode returns the L2 CNode that a slot lies in.
func cnode(slot capability.Reference) typed.L2CNode {
	return typed.L2CNode(capability.LevelOneReference(slot.L1()))
}

// remove deletes the capability in a slot, if there is one.
func remove(slot capability.Reference) error {
	for {
		err := cnode(slot).Delete(slot.Slot())
		switch {
		case errors.Is(err, capability.ErrPending):
		case errors.Is(err, capability.ErrEmpty):
			return nil
		default:
			return err
		}
	}
}

// mint puts a copy of a capability with some of its rights into an empty slot.
func mint(slot, source capability.Reference, rights capability.Rights) error {
	return cnode(slot).Mint(slot.Slot(), source, rights)
}

// patience bounds how often an object is asked whether its memory has been
// cleared; every time some is.
const patience = 1 << 16

// retype makes an object of a part of another in an empty slot. ErrInUse may say
// no more than that other cores may hold translations to the memory; see settling.
func retype(slot, source capability.Reference, t capability.Type, offset, size uint64) error {
	err := cnode(slot).Retype(slot.Slot(), 1, source, t, offset, size)
	if !errors.Is(err, capability.ErrPending) {
		return err
	}
	for range patience {
		// Of any type the invocation is the same.
		if err = typed.Frame(slot).Nop(); !errors.Is(err, capability.ErrNotReady) {
			return err
		}
	}
	return err
}
