package driver

import (
	"runtime"

	"skerry/abi"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

// memStats is what ReadMemStats fills, so that asking allocates nothing.
var memStats runtime.MemStats

// markReady notes the state of the kernel's heap at the end of its start.
func (d *Driver) markReady() {
	runtime.GC()
	runtime.ReadMemStats(&memStats)
	runtime.ReadMemStats(&memStats)
	d.k.Counters.BootMallocs, d.k.Counters.BootCollections = memStats.Mallocs, uint64(memStats.NumGC)
}

func coreInfo(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	runtime.ReadMemStats(&memStats)
	k := d.k
	c, m := &k.Counters, &k.Machine
	charged := uint64(0)
	for x := k.NextAfter(0); x != nil; x = k.NextAfter(x.ID + 1) {
		charged += x.Pages
	}
	i := &d.coreInfo
	*i = abi.CoreInfo{
		Core: m.Core, APIC: m.APIC, Node: m.Node, Cores: m.Cores,
		BootNs: c.BootNs, NowNs: carry.Now(), IdleNs: c.IdleNs,
		ImageBytes: m.KernelSize, HeapBytes: carry.HeapPages * abi.PageSize,
		Mallocs: memStats.Mallocs, Collections: uint64(memStats.NumGC),
		BootMallocs: c.BootMallocs, BootCollections: c.BootCollections,
		Events: c.Events, Dispatches: c.Dispatches, NativeCalls: c.NativeCalls,
		PageFaults: c.PageFaults, Interrupts: c.Interrupts,
		DoorbellsIn: c.DoorbellsIn, DoorbellsOut: c.DoorbellsOut, LogLines: console.Lines,
		TotalPages: k.Pages.Total() + m.KernelSize/abi.PageSize, FreePages: k.Pages.Available(),
		DomainPages: charged,
		KernelPages: c.KernelPages + carry.HeapPages, Domains: uint64(k.NumDomains),
	}
	copy(i.Version[:], abi.Version)
	copy(i.Go[:], runtime.Version())
	return 0, d.copyOut(b, uintptr(a[0]), bytesOf(i))
}

func domainInfo(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if a[0] > 1<<32-1 {
		return 0, abi.ErrNotFound
	}
	x := d.k.NextAfter(uint32(a[0]))
	if x == nil {
		return 0, abi.ErrNotFound
	}
	d.domainInfo = abi.DomainInfo{
		Domain: x.ID, Parent: x.Parent, Name: x.Name, State: x.State, Rights: uint32(x.Rights),
		Pages: x.Pages, PeakPages: x.PeakPages, Quota: x.Quota, CPU: d.cpu(x),
		Dispatches: x.Dispatches, Upcalls: x.Upcalls, PageFaults: x.Faults,
	}
	return 0, d.copyOut(b, uintptr(a[1]), bytesOf(&d.domainInfo))
}
