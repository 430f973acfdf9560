package boot

import (
	"fmt"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/archive"
	"skerry/kernel/acpi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// entryAddress returns the address of entry.
func entryAddress() uintptr

// Start brings this core from a running Go runtime to a CPU driver that can
// serve: on the first core it also finds and starts the others. It returns an
// error for a machine that cannot be used, with what to do about it.
func Start() error {
	k := KCB()
	if k.Machine.Core != 0 {
		return nil
	}
	if rsdp == 0 {
		return fmt.Errorf("the firmware names no ACPI tables")
	}
	t, err := acpi.Parse(physical, rsdp)
	if err != nil {
		return err
	}
	if t.PMTimer == 0 {
		return fmt.Errorf("the machine has no ACPI timer to calibrate clocks with")
	}
	amd64.SetupAPIC(apicAt)
	m := &k.Machine
	hz, tick := amd64.Calibrate(t.PMTimer)
	carry.SetHz(&m.Clock, hz)
	m.TickHz = tick
	m.Clock.Real = amd64.WallClock()*1e9 - carry.Now()
	carry.SetClock(&m.Clock)
	m.PM1a, m.SleepType, m.CanPowerOff = t.PM1a, t.SleepType, t.CanPowerOff
	m.ResetPort, m.ResetValue = t.ResetPort, t.ResetValue

	cores := order(t.CPUs, amd64.APICID())
	m.Cores = uint32(len(cores))
	for i, c := range cores {
		m.APICs[i] = c.APIC
	}
	m.APIC, m.Node = cores[0].APIC, cores[0].Node
	peers, err := prepare(k, t, cores)
	if err != nil {
		return err
	}
	startOthers(k, peers)
	setupInterrupts(k, t)
	dropIdentity(k)
	return claimBoot(k)
}

// claimBoot takes the memory of the boot segment, which nobody needs any more.
func claimBoot(k *kcb.KCB) error {
	e := bootMemory
	s := amd64.Space{Root: k.Root}
	if e.Base < e.End && !(s.MapRange(&k.Pages, abi.WindowBase+uintptr(e.Base), e.Base, uintptr(e.Size()), kernelData) && k.Pages.Add(e, e.Base)) {
		return fmt.Errorf("too little memory for page tables")
	}
	return nil
}

// physical gives access to physical memory through the boot's one-to-one map.
func physical(at uint64, n int) []byte {
	if at == 0 || n < 0 || at > 4<<30-uint64(n) {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(at))), n)
}

// order lists the processors with the first one first, as many as we can run.
func order(cpus []acpi.CPU, self uint32) []acpi.CPU {
	var out []acpi.CPU
	for _, c := range cpus {
		if c.APIC == self {
			out = append([]acpi.CPU{c}, out...)
		} else if c.APIC < 0xff || amd64.CPU.X2APIC {
			out = append(out, c)
		}
	}
	return out[:min(len(out), abi.MaxCores)]
}

// bootMemory is the part of core 0's memory that holds the boot segment.
var bootMemory memory.Extent

// prepare divides the memory, makes the declared channels, and gives every
// other core its image, KCB and page tables. It returns the other cores' KCBs
// (at their physical addresses).
func prepare(k *kcb.KCB, t *acpi.Tables, cores []acpi.CPU) ([]*kcb.KCB, error) {
	m := &k.Machine
	s := amd64.Space{Root: k.Root}
	tables := fmt.Errorf("too little memory for page tables")
	nodeOf := make([]uint32, len(cores))
	for i, c := range cores {
		nodeOf[i] = c.Node
	}
	ram := rangesOf(machineMap[:numMap], mapRAM)
	plan, err := divide(ram, m, k.Pages.Extent(0), t.Memory, nodeOf)
	if err != nil {
		return nil, err
	}
	bootMemory = memory.Extent{Base: plan.first.Base, End: memory.Phys(m.KernelPhys)}
	for _, e := range ram {
		// To write what the others start with, one to one like the rest.
		if at := max(e.Base, 4<<30); at < e.End && !s.MapRange(&k.Pages, uintptr(at), at, uintptr(e.End-at), kernelData) {
			return nil, tables
		}
	}

	// Declared channels: an outbox for each core, the monitors' frames, and the
	// mailboxes.
	m.Outboxes = plan.channels.Base
	m.Channels = m.Outboxes + memory.Phys(len(cores)*console.OutboxSize)
	m.Mailboxes = m.Channels + memory.Phys(len(cores)*abi.MonitorChannelSize)
	clear(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(m.Outboxes))), plan.channels.Size()))
	for c := range m.Cores {
		if !mapOutbox(s, &k.Pages, m, c) {
			return nil, tables
		}
	}
	if !mapMailboxes(s, &k.Pages, m) {
		return nil, tables
	}
	amd64.SetCR3(uintptr(k.Root))
	console.Attach(outboxesAt, 0)
	console.SetState(abi.CoreStarting)

	for _, e := range plan.shares[0] {
		k.Pages.Add(e, e.Base)
		if !s.MapRange(&k.Pages, abi.WindowBase+uintptr(e.Base), e.Base, uintptr(e.End-e.Base), kernelData) {
			return nil, tables
		}
	}
	libos, err := archived(m, abi.ArchiveLibos)
	if err != nil {
		return nil, err
	}
	m.LibosPhys, m.LibosSize = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(libos)))), uint64(len(libos))
	if !mapLibos(s, &k.Pages, m) {
		return nil, tables
	}
	file, err := archived(m, abi.ArchiveKernel)
	if err != nil {
		return nil, err
	}
	images := make([]memory.Extent, 0, len(cores))
	for i, share := range plan.shares[1:] {
		e := memory.Extent{Base: share[0].Base, End: share[0].Base + memory.Phys(m.KernelSize)}
		if e.End >= share[0].End {
			return nil, fmt.Errorf("too little memory for the kernel of core %d", i+1)
		}
		images = append(images, e)
	}
	plan.record(&k.Memory, ram, images)
	if !makeWindow(s, k) {
		return nil, tables
	}
	distances(k.Memory.Distance[:], t.Distance, m.Node, nodeOf)
	own := []memory.Extent{page(amd64.APICBase())}
	for _, io := range t.IOAPICs {
		own = append(own, page(uintptr(io.Base)))
	}
	k.Memory.NumDevices = uint32(copy(k.Memory.Devices[:], devices(machineMap[:numMap], own)))
	var peers []*kcb.KCB
	for i := 1; i < len(cores); i++ {
		p, err := prepareCore(k, uint32(i), cores[i], plan.shares[i], images[i-1], file)
		if err != nil {
			return nil, err
		}
		distances(p.Memory.Distance[:], t.Distance, cores[i].Node, nodeOf)
		peers = append(peers, p)
	}
	return peers, nil
}

// page returns the page that an address lies in.
func page(at uintptr) memory.Extent {
	base := memory.Phys(at) &^ (abi.PageSize - 1)
	return memory.Extent{Base: base, End: base + abi.PageSize}
}

// prepareCore makes what core i needs to start, in its own memory: its image,
// at the start of its share, and the rest.
func prepareCore(first *kcb.KCB, i uint32, cpu acpi.CPU, share []memory.Extent, image memory.Extent, file []byte) (*kcb.KCB, error) {
	owned := ranges(share).pages()
	// The image is no part of the window: there it could be written.
	share[0].Base = image.End
	var pages memory.Pages
	for _, e := range share {
		pages.Add(e, e.Base)
	}
	at := pages.AllocRun(uint64(kcb.Size/abi.PageSize), abi.PageSize)
	if at == 0 {
		return nil, fmt.Errorf("too little memory for the kernel of core %d", i)
	}
	k := (*kcb.KCB)(unsafe.Pointer(uintptr(at)))
	*k = kcb.KCB{Magic: kcb.Magic, Version: kcb.Version, Machine: first.Machine, Pages: pages}
	k.Memory.Owned, k.Memory.RAM, k.Memory.NumRAM = owned, first.Memory.RAM, first.Memory.NumRAM
	m := &k.Machine
	m.Core, m.APIC, m.Node, m.KernelPhys = i, cpu.APIC, cpu.Node, uint64(image.Base)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(image.Base))), m.KernelSize)
	clear(mem)
	if err := loadKernel(file, mem); err != nil {
		return nil, err
	}
	if !buildSpace(k, &k.Pages, false) {
		return nil, fmt.Errorf("too little memory for the page tables of core %d", i)
	}
	k.Pages.Offset = abi.WindowBase
	return k, nil
}

// archived returns a file of the boot archive through the one-to-one map.
func archived(m *kcb.Machine, path string) ([]byte, error) {
	a, e := archive.Open(uintptr(m.ArchivePhys), m.ArchiveSize)
	if e != 0 {
		return nil, fmt.Errorf("the boot archive is damaged: %v", e)
	}
	n, e := a.Lookup(0, path, true)
	if e != 0 {
		return nil, fmt.Errorf("the boot archive has no %s: %v", path, e)
	}
	at, size := a.Address(n)
	return unsafe.Slice((*byte)(unsafe.Pointer(at)), size), nil
}

const (
	lowFirst = 0x1000   // pages usable for trampolines: above the BIOS data area
	lowEnd   = 0x9_f000 // and below its extension
	// startTimeout bounds the wait for a core to come up.
	startTimeout = 5 * time.Second
)

// startOthers starts all other cores at once, or in batches where low memory
// runs out, and waits until each has left its trampoline. A core that does not
// come is left out and said to be missing.
func startOthers(k *kcb.KCB, peers []*kcb.KCB) {
	const perCore = 2 // trampoline, top table
	tables := memory.Phys(lowFirst)
	batch := int((lowEnd-lowFirst)/abi.PageSize-2) / perCore
	for len(peers) > 0 {
		n := min(batch, len(peers))
		startBatch(k, peers[:n], tables)
		peers = peers[n:]
	}
}

func startBatch(k *kcb.KCB, peers []*kcb.KCB, low memory.Phys) {
	at := func(p memory.Phys) *[512]uint64 { return (*[512]uint64)(unsafe.Pointer(uintptr(p))) }
	// Two tables map the first 2 MiB one to one, for the trampolines.
	pdpt, pd := low, low+abi.PageSize
	clear(at(pdpt)[:])
	clear(at(pd)[:])
	at(pdpt)[0] = uint64(pd) | amd64.PagePresent | amd64.PageWrite
	at(pd)[0] = 0 | amd64.PagePresent | amd64.PageWrite | 1<<7
	low += 2 * abi.PageSize
	for i, p := range peers {
		page := low + memory.Phys(i*2*abi.PageSize)
		top := page + abi.PageSize
		copy(at(top)[:], at(p.Root)[:])
		at(top)[0] = uint64(pdpt) | amd64.PagePresent | amd64.PageWrite
		phys := uintptr(unsafe.Pointer(p))
		code := trampoline(uint32(page), uint32(top), uint64(entryAddress()), uint64(phys+abi.WindowBase), uint64(p.Root))
		copy(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(page))), abi.PageSize), code)
	}
	for _, p := range peers {
		amd64.SendINIT(p.Machine.APIC)
	}
	wait(10 * time.Millisecond) // SDM 3A 8.4.4.1
	for range 2 {
		for i, p := range peers {
			if console.StateOf(p.Machine.Core) == abi.CoreAbsent {
				amd64.SendStartup(p.Machine.APIC, uint8((low+memory.Phys(i*2*abi.PageSize))>>12))
			}
		}
		wait(200 * time.Microsecond)
	}
	deadline := carry.Now() + startTimeout.Nanoseconds()
	for _, p := range peers {
		for console.StateOf(p.Machine.Core) == abi.CoreAbsent {
			if carry.Now() > deadline {
				console.Write("core ")
				console.Number(uint64(p.Machine.Core))
				console.Write(" did not start; going on without it\n")
				k.Memory.Shared += p.Memory.Owned // now nobody's
				break
			}
			amd64.Pause()
		}
	}
}

// wait spins for a time: there is no timer yet.
func wait(d time.Duration) {
	for end := carry.Now() + d.Nanoseconds(); carry.Now() < end; {
		amd64.Pause()
	}
}
