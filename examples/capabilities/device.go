package main

import (
	"fmt"
	"math/bits"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
)

// hpetAddress is where chipsets have the registers of the high precision event
// timer.
const hpetAddress = 0xfed0_0000

// showDevice maps the registers of a device, if the program was given physical
// addresses that have them.
func showDevice() error {
	source, offset, ok := findRange(hpetAddress)
	if !ok {
		say("was given no devices")
		return nil
	}
	slot, err := native.Slot()
	if err != nil {
		return err
	}
	if err := retype(slot, 1, source, capability.DeviceFrame, offset, abi.PageSize); err != nil {
		return err
	}
	if err := describe("made a device frame of the timer's registers", slot); err != nil {
		return err
	}
	at, err := native.Map(slot, 0, abi.PageSize, abi.ProtRead)
	if err != nil {
		return err
	}
	// The first register says who made it and how long a tick is.
	register := *(*uint64)(unsafe.Pointer(at))
	femtoseconds := register >> 32
	if femtoseconds == 0 || bits.Len64(femtoseconds) > 27 {
		return fmt.Errorf("no timer there: %#x", register)
	}
	say("mapped it to read: vendor %04x, a tick is %d ns", register>>16&0xffff, femtoseconds/1e6)
	err = mapOnce(slot, abi.ProtRead|abi.ProtExec)
	return refused("map it executable", err)
}

// findRange looks for physical addresses that include a page among what the
// program was given.
func findRange(page uint64) (source capability.Reference, offset uint64, ok bool) {
	for slot := uint32(capability.MachineDevices); slot < capability.MachineDevices+capability.MachineDevicesSlots; slot++ {
		r := capability.Machine(slot)
		d, err := native.Identify(r)
		if err == nil && d.Type == capability.PhysicalRange && d.Base <= page && page-d.Base < d.Size {
			return r, page - d.Base, true
		}
	}
	return 0, 0, false
}
