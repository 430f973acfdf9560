package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// kernelImport makes a capability to what another core has made of its memory. As
// with a loan, the kernel believes the monitor who owns it; it sees to it that it
// is RAM, and none of its own core's.
func kernelImport(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	t, base, size := capability.Type(a[1]), a[2], a[3]
	from, rights := a[4]&(1<<32-1), capability.Rights(a[4]>>32&uint64(capability.AllRights))
	switch {
	case from >= uint64(d.k.Machine.Cores):
		return 0, capability.ErrNotFound
	case size > maxLoan:
		return 0, capability.ErrTooBig
	case !d.k.Memory.IsRAM(base, size):
		return 0, capability.ErrRange
	case amd64.Space{Root: d.k.Root}.SeesAny(&d.k.Pages, memory.Phys(base), uintptr(size)):
		return 0, capability.ErrInUse
	}
	to, err := d.cap.Vacancy(d.cspace, capability.Reference(a[0]), t)
	if err != capability.OK {
		return 0, err
	}
	return 0, d.cap.Import(to, t, base, size, uint32(from), rights)
}

// kernelExpel deletes imports. When it returns OK no processor reaches their memory
// through this core's tables any more.
func kernelExpel(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[1] > maxLoan {
		return 0, capability.ErrTooBig
	}
	if err := d.cap.Expel(a[0], a[1]); err != capability.OK {
		return 0, err
	}
	if !d.Settled() {
		return 0, capability.ErrInUse
	}
	return 0, capability.OK
}

// hasTable reports whether an address space's top table leads to a table from one
// of the user's entries.
func (d *Driver) hasTable(top, table memory.Phys) bool {
	for _, e := range amd64.Entries(&d.k.Pages, top, tableEntries/2) {
		if e != 0 && amd64.Frame(e) == table {
			return true
		}
	}
	return false
}
