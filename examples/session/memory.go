package main

import (
	"errors"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
)

// wordAt views memory that is mapped.
func wordAt(at uintptr) *uint64 { return (*uint64)(unsafe.Add(unsafe.Pointer(nil), at)) }

// retype makes a frame of a page of RAM, and waits until it is cleared.
func retype(frame, ram capability.Reference) error {
	err := cnode(frame).Retype(frame.Slot(), 1, ram, capability.Frame, 0, abi.PageSize)
	for errors.Is(err, capability.ErrInUse) { // other cores are to forget what was there
		err = cnode(frame).Retype(frame.Slot(), 1, ram, capability.Frame, 0, abi.PageSize)
	}
	if !errors.Is(err, capability.ErrPending) {
		return err
	}
	for err = typed.Frame(frame).Nop(); errors.Is(err, capability.ErrNotReady); err = typed.Frame(frame).Nop() {
	}
	return err
}

// revoke revokes a frame, of which no other core has anything.
func revoke(frame capability.Reference) error {
	err := cnode(frame).Revoke(frame.Slot())
	for errors.Is(err, capability.ErrPending) || errors.Is(err, capability.ErrRevoking) {
		err = cnode(frame).Revoke(frame.Slot())
	}
	return err
}
