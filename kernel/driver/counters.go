package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// counters are the performance counters of this core.
var counters amd64.Counters

// counterAt returns the number of the counter at an offset in the capability in
// a slot.
func (d *Driver) counterAt(slot memory.Phys, offset uint64) (uint32, capability.Error) {
	if offset >= d.cap.SizeOf(slot) {
		return 0, capability.ErrRange
	}
	return uint32(d.cap.BaseOf(slot) + offset), capability.OK
}

func counterSelect(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	n, err := d.counterAt(slot, a[0])
	if err != capability.OK {
		return 0, err
	}
	counters.Select(n, a[1])
	return 0, capability.OK
}

func counterRead(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	n, err := d.counterAt(slot, a[0])
	if err != capability.OK {
		return 0, err
	}
	return counters.Read(n), capability.OK
}
