package main

import (
	"fmt"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	invoke "skerry/lib/capability"
	"skerry/lib/native"
)

const kib = 1 << 10

// showRAM takes RAM out of what the domain holds, and divides it.
func showRAM() error {
	ram, err := takeRAM(64 * kib)
	if err != nil {
		return err
	}
	if err := describe("took RAM", ram); err != nil {
		return err
	}
	if err := refused("map the RAM itself", mapOnce(ram, abi.ProtRead)); err != nil {
		return err
	}
	cnode, err := native.CNode() // its slots follow each other
	if err != nil {
		return err
	}
	halves := [2]capability.Reference{capability.MakeReference(cnode.L1(), 1), capability.MakeReference(cnode.L1(), 2)}
	if err := retype(halves[0], uint32(len(halves)), ram, capability.RAM, 0, 32*kib); err != nil {
		return err
	}
	say("divided it into two halves by one retype")
	for i, half := range halves {
		if err := describe(fmt.Sprintf("half %d", i), half); err != nil {
			return err
		}
	}
	err = retype(halves[0], 1, ram, capability.Frame, 0, abi.PageSize)
	if err := refused("put something else into the slot of half 0", err); err != nil {
		return err
	}
	frame, err := native.Slot()
	if err != nil {
		return err
	}
	err = retype(frame, 1, ram, capability.Frame, 0, abi.PageSize)
	if err := refused("make a frame of what half 0 was made of", err); err != nil {
		return err
	}
	err = retype(frame, 1, halves[0], capability.Frame, 30*kib, 4*kib)
	if err := refused("make a frame that does not begin at a page", err); err != nil {
		return err
	}
	err = retype(frame, 1, halves[0], capability.IOPorts, 0, 4*kib)
	return refused("make I/O ports of half 0", err)
}

// showFrame makes a frame, maps it and uses it.
func showFrame() error {
	frame, err := newObject(capability.Frame, 64*kib)
	if err != nil {
		return err
	}
	if err := describe("made a frame", frame); err != nil {
		return err
	}
	at, err := native.Map(frame, 0, 64*kib, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(at)), 64*kib)
	if n := nonzero(memory); n != 0 {
		return fmt.Errorf("%d of %d bytes are not zero", n, len(memory))
	}
	say("mapped it: %d bytes, all zero", len(memory))
	copy(memory[60*kib:], "a line in the last page")
	last, err := native.Map(frame, 60*kib, 4*kib, abi.ProtRead)
	if err != nil {
		return err
	}
	say("mapped its last page a second time, to read: %q", text(last))
	if err := native.Unmap(at, 64*kib); err != nil {
		return err
	}
	say("unmapped the first mapping: reading there faults: %v", faults(func() { sink = memory[0] }))
	say("the second stays: %q", text(last))
	return native.Unmap(last, 4*kib)
}

// showRights gives a copy fewer rights.
func showRights() error {
	frame, err := newObject(capability.Frame, 4*kib)
	if err != nil {
		return err
	}
	list, err := slots(3)
	if err != nil {
		return err
	}
	readable, copied, mapping := list[0], list[1], list[2]
	if err := mint(readable, frame, capability.RightRead); err != nil {
		return err
	}
	if err := describe("minted a copy with right Read alone", readable); err != nil {
		return err
	}
	at, err := native.Map(frame, 0, 4*kib, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	*(*byte)(unsafe.Pointer(at)) = 42
	other, err := native.Map(readable, 0, 4*kib, abi.ProtRead)
	if err != nil {
		return err
	}
	say("wrote 42 through the first, read %d through the copy", *(*byte)(unsafe.Pointer(other)))
	say("writing through the copy faults: %v", faults(func() { *(*byte)(unsafe.Pointer(other)) = 1 }))
	table, err := newTable(capability.PageTable1)
	if err != nil {
		return err
	}
	err = mapEntry(table, 0, readable, mapping, abi.ProtRead|abi.ProtWrite)
	if err := refused("map the copy writable", err); err != nil {
		return err
	}
	err = mapEntry(table, 0, frame, mapping, abi.ProtWrite|abi.ProtExec)
	if err := refused("map the first writable and executable", err); err != nil {
		return err
	}
	if err := refused("copy the copy", mint(copied, readable, capability.AllRights)); err != nil {
		return err
	}
	if err := native.Unmap(at, 4*kib); err != nil {
		return err
	}
	return native.Unmap(other, 4*kib)
}

// showRevoke takes back what was given away.
func showRevoke() error {
	ram, err := takeRAM(4 * kib)
	if err != nil {
		return err
	}
	list, err := slots(2)
	if err != nil {
		return err
	}
	frame, copied := list[0], list[1]
	if err := retype(frame, 1, ram, capability.Frame, 0, 4*kib); err != nil {
		return err
	}
	if err := mint(copied, frame, capability.RightRead); err != nil {
		return err
	}
	at, err := native.Map(copied, 0, 4*kib, abi.ProtRead)
	if err != nil {
		return err
	}
	say("made a frame of RAM, copied it, mapped the copy: it reads %d", *(*byte)(unsafe.Pointer(at)))
	if err := revoke(ram); err != nil {
		return err
	}
	say("revoked the RAM")
	if err := refused("the frame", invoke.Frame(frame).Nop()); err != nil {
		return err
	}
	if err := refused("its copy", invoke.Frame(copied).Nop()); err != nil {
		return err
	}
	say("reading what was mapped faults: %v", faults(func() { sink = *(*byte)(unsafe.Pointer(at)) }))
	if err := retype(frame, 1, ram, capability.Frame, 0, 4*kib); err != nil {
		return err
	}
	say("the RAM is free: made a frame of it again")
	return native.Unmap(at, 4*kib)
}

// mapOnce maps a page and unmaps it.
func mapOnce(source capability.Reference, prot int) error {
	at, err := native.Map(source, 0, abi.PageSize, prot)
	if err != nil {
		return err
	}
	return native.Unmap(at, abi.PageSize)
}

// nonzero counts bytes that are not 0.
func nonzero(memory []byte) (n int) {
	for _, b := range memory {
		if b != 0 {
			n++
		}
	}
	return n
}

// text returns the text at an address, up to a zero.
func text(at uintptr) string {
	return native.Text(unsafe.Slice((*byte)(unsafe.Pointer(at)), abi.PageSize))
}
