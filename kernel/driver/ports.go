package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// portAt checks that a capability to I/O ports has as many from an offset on as
// an access of a width touches, and returns the first.
func (d *Driver) portAt(slot memory.Phys, offset, width uint64) (uint16, capability.Error) {
	size := d.cap.SizeOf(slot)
	switch {
	case width != 1 && width != 2 && width != 4:
		return 0, capability.ErrArgument
	case offset >= size || width > size-offset:
		return 0, capability.ErrRange
	}
	return uint16(d.cap.BaseOf(slot) + offset), capability.OK
}

func portsIn(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	port, err := d.portAt(slot, a[0], a[1])
	if err != capability.OK {
		return 0, err
	}
	switch a[1] {
	case 1:
		return uint64(amd64.In(port)), capability.OK
	case 2:
		return uint64(amd64.In16(port)), capability.OK
	}
	return uint64(amd64.In32(port)), capability.OK
}

func portsOut(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	port, err := d.portAt(slot, a[0], a[1])
	if err != capability.OK {
		return 0, err
	}
	switch a[1] {
	case 1:
		amd64.Out(port, uint8(a[2]))
	case 2:
		amd64.Out16(port, uint16(a[2]))
	default:
		amd64.Out32(port, uint32(a[2]))
	}
	return 0, capability.OK
}
