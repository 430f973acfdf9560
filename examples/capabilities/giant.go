package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	invoke "skerry/lib/capability"
	"skerry/lib/native"
)

const giantPage = 1 << 30

// showGiant maps a page of 1 GiB.
func showGiant() error {
	ram, err := takeRAM(giantPage)
	if err != nil {
		return err
	}
	list, err := slots(3)
	if err != nil {
		return err
	}
	frame, mapping := list[0], list[1]
	if err := retype(frame, 1, ram, capability.Frame, 0, giantPage); err != nil {
		return err
	}
	if err := describe("made a frame", frame); err != nil {
		return err
	}
	if err := sayInUse(); err != nil {
		return err
	}
	table, err := newTable(capability.PageTable3)
	if err != nil {
		return err
	}
	if err := mapEntry(capability.Base(capability.SlotVSpace), ownEntry, table, list[2], 0); err != nil {
		return err
	}
	if err := mapEntry(table, 0, frame, mapping, abi.ProtRead|abi.ProtWrite); err != nil {
		return err
	}
	if err := describe("mapped it by one entry of a table of level 3", mapping); err != nil {
		return err
	}
	at, err := native.Map(frame, 0, giantPage, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	mine := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(ownAddress))), giantPage)
	libos := unsafe.Slice((*byte)(unsafe.Pointer(at)), giantPage)
	mine[0], libos[giantPage-1] = 1, 2
	say("let the libos map it, too: wrote to one end here, to the other there: %d %d, %d %d", mine[0], libos[0], mine[giantPage-1], libos[giantPage-1])
	if err := native.Unmap(at, giantPage); err != nil {
		return err
	}
	if err := invoke.Mapping(mapping).Unmap(0, 1, ownAddress); err != nil {
		return err
	}
	say("unmapped both: reading faults: %v, %v", faults(func() { sink = mine[giantPage-1] }), faults(func() { sink = libos[0] }))
	if err := remove(table); err != nil {
		return err
	}
	if err := native.GiveRAM(ram); err != nil {
		return err
	}
	if err := refused("gave the RAM back: the frame", invoke.Frame(frame).Nop()); err != nil {
		return err
	}
	return sayInUse()
}

// sayInUse says how much of the domain's memory is in use.
func sayInUse() error {
	m, err := native.Memory()
	if err != nil {
		return err
	}
	say("memory in use: %d GiB and less than another", (m.Held-m.Free)/giantPage)
	return nil
}
