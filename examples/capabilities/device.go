package main

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
)

// The HPET is a timer that lies at this physical address in every PC. Its
// registers are of 8 bytes, the first says what it has.
const (
	hpetAddress = 0xfed0_0000
	hpetConfig  = 0x10 // bit 0: it counts
	hpetCounter = 0xf0
	// hpetSlowest is the longest time that a tick may take, in femtoseconds,
	// says the specification.
	hpetSlowest = 100_000_000
)

// patience is how long a device may take to do what it must.
const patience = 30 * time.Second

// device finds what the program was given of a type that has the numbers from
// first on: addresses, ports, interrupts.
func device(t capability.Type, first, count uint64) (capability.Reference, capability.Description, error) {
	var list []capability.Reference
	for slot := uint32(capability.SlotIRQSource); slot <= capability.SlotCounters; slot++ {
		list = append(list, capability.Base(slot))
	}
	for n := range uint32(capability.MachineDevicesSlots) {
		list = append(list, capability.Machine(capability.MachineDevices+n))
	}
	for _, r := range list {
		d, err := native.Identify(r)
		if err == nil && d.Type == t && d.Base <= first && count <= d.Size && first-d.Base <= d.Size-count {
			return r, d, nil
		}
	}
	return 0, capability.Description{}, errNoDevice
}

var errNoDevice = errors.New("the program was not given such a device")

// newDevice makes the capability to a part of what device finds, and says so.
func newDevice(name string, t, of capability.Type, first, count uint64) (capability.Reference, error) {
	source, d, err := device(of, first, count)
	if err != nil {
		return 0, fmt.Errorf("%v of %#x: %w", of, first, err)
	}
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	if err := retype(slot, 1, source, t, first-d.Base, count); err != nil {
		return 0, err
	}
	if d, err = native.Identify(slot); err != nil {
		return 0, err
	}
	say("made a capability to %s: %v, rights %s", name, d.Type, rights(d.Rights))
	return slot, nil
}

// showDevice maps the registers of a device.
func showDevice() error {
	whole, d, err := device(capability.PhysicalRange, hpetAddress, abi.PageSize)
	if err != nil {
		return err
	}
	say("found a range with the registers of the HPET: %v, rights %s", d.Type, rights(d.Rights))
	list, err := slots(2)
	if err != nil {
		return err
	}
	err = retype(list[0], 1, whole, capability.Frame, hpetAddress-d.Base, abi.PageSize)
	if err := refused("make a frame of them", err); err != nil {
		return err
	}
	frame, err := newDevice("them", capability.DeviceFrame, capability.PhysicalRange, hpetAddress, abi.PageSize)
	if err != nil {
		return err
	}
	err = retype(list[0], 1, whole, capability.DeviceFrame, hpetAddress-d.Base, abi.PageSize)
	if err := refused("make another", err); err != nil {
		return err
	}
	table, err := newTable(capability.PageTable1)
	if err != nil {
		return err
	}
	err = mapEntry(table, 0, frame, list[1], abi.ProtRead|abi.ProtExec)
	if err := refused("map it executable", err); err != nil {
		return err
	}
	at, err := native.Map(frame, 0, abi.PageSize, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	if err := count(at); err != nil {
		return err
	}
	if err := native.Unmap(at, abi.PageSize); err != nil {
		return err
	}
	return remove(frame)
}

// count lets the HPET count whose registers are at an address.
func count(at uintptr) error {
	register := func(offset uintptr) *uint64 { return (*uint64)(unsafe.Pointer(at + offset)) }
	period := *register(0) >> 32
	if period == 0 || period > hpetSlowest {
		return fmt.Errorf("the HPET has a period of %d fs", period)
	}
	say("mapped it, read its period: not 0, and not more than 100 ns")
	config := *register(hpetConfig)
	*register(hpetConfig) = config | 1
	first, late := *register(hpetCounter), time.Now().Add(patience)
	for *register(hpetCounter) == first {
		if time.Now().After(late) {
			return errors.New("the HPET does not count")
		}
	}
	*register(hpetConfig) = config
	say("let its counter run: it counts")
	return nil
}
