package driver

import (
	"runtime"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

func kernelInformation(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	mallocs, collections := heap()
	k := d.k
	c, m := &k.Counters, &k.Machine
	i := &d.coreInfo
	*i = abi.CoreInfo{
		Core: m.Core, APIC: m.APIC, Node: m.Node, Cores: m.Cores,
		BootNs: c.BootNs, NowNs: carry.Now(), IdleNs: c.IdleNs,
		ImageBytes: m.KernelSize, HeapBytes: carry.HeapPages * abi.PageSize,
		Mallocs: mallocs, Collections: collections,
		BootMallocs: c.BootMallocs, BootCollections: c.BootCollections,
		Events: c.Events, Dispatches: c.Dispatches, NativeCalls: c.NativeCalls,
		PageFaults: c.PageFaults, Interrupts: c.Interrupts,
		DoorbellsIn: c.DoorbellsIn, DoorbellsOut: c.DoorbellsOut, LogLines: console.Lines,
		TotalPages: k.Memory.Owned, KernelPages: d.kernelPages(), KernelSpare: k.Pages.Available(),
		MachinePages: k.Memory.Machine, SharedPages: k.Memory.Shared,
		Dispatchers: uint64(k.NumDispatchers), Capabilities: d.cap.Count,
		LongestEvent: amd64.LongestEvent(),
	}
	if d.cap.Pending() {
		i.Pending = 1
	}
	copy(i.Version[:], abi.Version)
	copy(i.Go[:], runtime.Version())
	return 0, d.copyOut(b, uintptr(a[0]), bytesOf(i))
}

// kernelPages counts the pages of this core's RAM that no capability names: the
// kernel's image, and what its page allocator has, in use or not.
func (d *Driver) kernelPages() uint64 {
	return d.k.Machine.KernelSize/abi.PageSize + d.k.Pages.Total()
}

func kernelDispatcher(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	x := d.k.From(uint32(a[0]), uint32(a[0]>>32))
	if x == nil {
		return 0, capability.ErrNotFound
	}
	d.describe(x)
	return 0, d.copyOut(b, uintptr(a[1]), bytesOf(&d.domainInfo))
}

// describe puts what is known of a dispatcher into d.domainInfo.
func (d *Driver) describe(x *kcb.DCB) {
	cpu := d.cpu(x) // brings Counts up to date too
	n, _ := x.Number()
	e := &x.Entry
	r, _ := e.Reservation()
	d.domainInfo = abi.DomainInfo{
		Domain: x.Domain, Number: uint32(n), Name: x.Name, State: x.State, Disabled: disabled(x), CPU: cpu,
		Weight: uint64(e.Weight()), Period: r.Period, Budget: r.Budget, Deadline: r.Deadline,
		Counts: x.Counts,
	}
	d.domainInfo.Counts.Missed, d.domainInfo.Counts.Throttled = e.Missed, e.Throttled
}

// census is what kernelNext writes.
var census [capability.CensusMax]capability.Description

func kernelNext(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if err := d.copyIn(b, uintptr(a[0]), bytesOf(&census[0])); err != capability.OK {
		return 0, err
	}
	n, at := uint64(0), census[0]
	for ; n < uint64(len(census)); n++ {
		next, ok := d.cap.Next(at)
		if !ok {
			break
		}
		census[n], at = next, next
	}
	return n, d.copyOut(b, uintptr(a[0]), bytesOf(&census)[:n*uint64(len(bytesOf(&at)))])
}
