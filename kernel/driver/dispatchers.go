package driver

import (
	"encoding/binary"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// target returns the dispatcher that the capability in a slot names.
func (d *Driver) target(slot memory.Phys) *kcb.DCB {
	return d.dispatcherAt(memory.Phys(d.cap.BaseOf(slot)))
}

// wanted are the capabilities that Setup takes, in the order of its arguments
// and of the slots they are copied to.
var wanted = [...]struct {
	kind   capability.Type
	rights capability.Rights
}{
	{capability.L1CNode, 0},
	{capability.PageTable4, capability.RightControl},
	{capability.Domain, capability.RightControl},
	{capability.Doorbell, capability.RightSend},
}

func dispatcherSetup(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	if t.State != abi.DomainNew {
		return 0, capability.ErrState
	}
	if a[4] >= userEnd {
		return 0, capability.ErrArgument
	}
	var given [len(wanted)]memory.Phys
	for i, w := range wanted {
		if i+1 == kcb.SlotSupervisor && a[i] == 0 {
			continue
		}
		at, err := d.cap.LookupType(d.cspace, capability.Reference(a[i]), w.kind, w.rights)
		if err != capability.OK {
			return 0, err
		}
		given[i] = at
	}
	domain := given[kcb.SlotDomain-1]
	if d.cap.SizeOf(domain) != 1 {
		return 0, capability.ErrRange
	}
	if !d.k.Enter(t) {
		return 0, capability.ErrBusy
	}
	t.Root = 0
	for i, from := range given {
		if err := d.replace(t, uintptr(i)+1, from); err != capability.OK {
			return 0, err
		}
	}
	t.Root = memory.Phys(d.cap.BaseOf(given[kcb.SlotVSpace-1]))
	t.Domain = uint32(d.cap.BaseOf(domain))
	space(t).ShareKernel(&d.k.Pages, amd64.Space{Root: d.k.Root})
	t.Entries = abi.Entries{}
	t.Regs = abi.Registers{RIP: a[4], RFLAGS: userFlags, RDI: abi.DispatcherBase}
	t.Resume = kcb.ResumeCall
	m, p := &d.k.Machine, t.Page()
	*p = abi.Dispatcher{
		Self: abi.DispatcherBase, Disabled: 1, HasWork: p.HasWork, Notified: t.Counts.Notified, Filled: uint64(t.Messages.Filled), Now: carry.Now(), Core: m.Core, Domain: t.Domain,
		VectorMask: amd64.VectorMask, VectorSize: amd64.VectorSize, Clock: m.Clock,
	}
	return 0, capability.OK
}

// replace makes one of a dispatcher's slots hold a copy of the capability in
// another slot, or nothing if that is 0. If it cannot, the slot is as it was.
func (d *Driver) replace(t *kcb.DCB, n uintptr, from memory.Phys) capability.Error {
	to, spare := d.slot(t, n), d.slot(t, kcb.SlotSpare)
	switch empty := d.cap.TypeOf(to) == capability.Null; {
	case empty && from == 0:
		return capability.OK
	case empty:
		return d.cap.Copy(to, from, capability.AllRights)
	case from == 0:
		return d.cap.Delete(to)
	}
	if err := d.cap.Copy(spare, from, capability.AllRights); err != capability.OK {
		return err
	}
	if err := d.cap.Delete(to); err != capability.OK {
		d.cap.Delete(spare)
		return err
	}
	return d.cap.Move(to, spare)
}

func dispatcherSetCSpace(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	if t.Root == 0 || t.State == abi.DomainEnded {
		return 0, capability.ErrState
	}
	cspace, err := d.cap.LookupType(d.cspace, capability.Reference(a[0]), capability.L1CNode, 0)
	if err != capability.OK {
		return 0, err
	}
	return 0, d.replace(t, kcb.SlotCSpace, cspace)
}

func dispatcherSetName(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	for i := range len(t.Name) / 8 {
		binary.LittleEndian.PutUint64(t.Name[8*i:], a[i])
	}
	t.Name[len(t.Name)-1] = 0
	for i, c := range t.Name {
		if c != 0 {
			t.Name[i] = printable(c)
		}
	}
	return 0, capability.OK
}

func dispatcherRun(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	if t.Root == 0 || t.State == abi.DomainEnded {
		return 0, capability.ErrState
	}
	if t.State == abi.DomainNew {
		d.ready(t)
	}
	return 0, capability.OK
}

func dispatcherStop(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	if t.State == abi.DomainEnded {
		return 0, capability.ErrState
	}
	d.stop(t, abi.DomainNew)
	return 0, capability.OK
}

func dispatcherState(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	return uint64(d.target(slot).State), capability.OK
}

func dispatcherStatus(d *Driver, b *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	t := d.target(slot)
	if t.State != abi.DomainEnded {
		return 0, capability.ErrState
	}
	return 0, d.copyOut(b, uintptr(a[0]), bytesOf(&t.Status))
}

func dispatcherNumber(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	n, ok := d.target(slot).Number()
	if !ok {
		return 0, capability.ErrState
	}
	return n, capability.OK
}

func doorbellRing(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	d.ring(slot)
	return 0, capability.OK
}

// ring notifies the dispatcher that the doorbell in a slot belongs to, if there
// is one in it.
func (d *Driver) ring(slot memory.Phys) {
	if d.cap.TypeOf(slot) == capability.Doorbell {
		d.summon(d.target(slot))
	}
}
