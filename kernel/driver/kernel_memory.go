package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// Memory moves between cores in multiples of loanUnit: what one entry of a page
// table adds to the kernel's window or takes out of it. maxLoan bounds how much
// at a time.
const (
	loanUnit = 2 << 20
	maxLoan  = 256 << 20
)

// loan checks a range that is to move between cores.
func loan(base, size uint64) capability.Error {
	switch {
	case size == 0 || (base|size)%loanUnit != 0:
		return capability.ErrRange
	case size > maxLoan:
		return capability.ErrTooBig
	}
	return capability.OK
}

// see makes the kernel see memory that has become its core's. It reports
// whether there was a page left for a table.
func (d *Driver) see(base, size uint64) bool {
	if !(amd64.Space{Root: d.k.Root}).MapWindow(&d.k.Pages, memory.Phys(base), uintptr(size)) {
		return false
	}
	d.k.Memory.Owned += size / abi.PageSize
	return true
}

// unsee undoes see: before whoever asked for it goes on, the processor has
// forgotten the memory too.
func (d *Driver) unsee(base, size uint64) {
	amd64.Space{Root: d.k.Root}.UnmapWindow(&d.k.Pages, memory.Phys(base), uintptr(size))
	d.stale = true
	d.k.Memory.Owned -= size / abi.PageSize
}

// loanAt returns the slot with the RAM that a reference names, which can move
// between cores.
func (d *Driver) loanAt(ram uint64) (slot memory.Phys, base, size uint64, err capability.Error) {
	slot, err = d.cap.Find(d.cspace, capability.Reference(ram))
	if err != capability.OK {
		return 0, 0, 0, err
	}
	switch d.cap.TypeOf(slot) {
	case capability.RAM:
	case capability.Null:
		return 0, 0, 0, capability.ErrEmpty
	default:
		return 0, 0, 0, capability.ErrType
	}
	base, size = d.cap.BaseOf(slot), d.cap.SizeOf(slot)
	return slot, base, size, loan(base, size)
}

func kernelLend(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[1] >= uint64(d.k.Machine.Cores) {
		return 0, capability.ErrNotFound
	}
	slot, base, size, err := d.loanAt(a[0])
	if err != capability.OK {
		return 0, err
	}
	if err := d.cap.Lend(slot, uint32(a[1])); err != capability.OK {
		return 0, err
	}
	d.unsee(base, size)
	return 0, capability.OK
}

func kernelRegain(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	slot, base, size, err := d.loanAt(a[0])
	if err != capability.OK {
		return 0, err
	}
	borrower := d.cap.Identify(slot).Owner
	if err := d.cap.Regain(slot); err != capability.OK {
		return 0, err
	}
	if !d.see(base, size) {
		d.cap.Lend(slot, borrower)
		return 0, capability.ErrMemory
	}
	return 0, capability.OK
}

func kernelAdopt(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	base, size := a[1], a[2]
	if err := loan(base, size); err != capability.OK {
		return 0, err
	}
	if !d.k.Memory.IsRAM(base, size) {
		return 0, capability.ErrRange
	}
	for off := uint64(0); off < size; off += loanUnit {
		if d.owns(memory.Phys(base + off)) {
			return 0, capability.ErrInUse
		}
	}
	to, err := d.cap.Vacancy(d.cspace, capability.Reference(a[0]), capability.RAM)
	if err != capability.OK {
		return 0, err
	}
	if err := d.cap.Adopt(to, base, size); err != capability.OK {
		return 0, err
	}
	if !d.see(base, size) {
		d.cap.Release(to)
		return 0, capability.ErrMemory
	}
	return 0, capability.OK
}

func kernelRelease(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	slot, base, size, err := d.loanAt(a[0])
	if err != capability.OK {
		return 0, err
	}
	if err := d.cap.Release(slot); err != capability.OK {
		return 0, err
	}
	d.unsee(base, size)
	return 0, capability.OK
}

func kernelReclaim(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	to, err := d.cap.Vacancy(d.cspace, capability.Reference(a[0]), capability.RAM)
	if err != capability.OK {
		return 0, err
	}
	return 0, d.cap.Reclaim(to)
}

func kernelRelations(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	slot, err := d.cap.Find(d.cspace, capability.Reference(a[0]))
	if err != capability.OK {
		return 0, err
	}
	if a[1] >= uint64(d.k.Machine.Cores) || a[2] > uint64(capability.AllRelations) {
		return 0, capability.ErrArgument
	}
	return 0, d.cap.SetRelations(slot, uint32(a[1]), capability.Relations(a[2]))
}
