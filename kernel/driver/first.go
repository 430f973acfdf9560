package driver

import (
	"fmt"
	"slices"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	builder "skerry/carrier/domain"
	"skerry/kernel/amd64"
	"skerry/kernel/capability"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// reserve is how many free pages the kernel keeps when it makes capabilities of
// the others: for the rest of its start, for its heap, which should not grow
// after that, and for tables of its window.
const reserve = 256

// What the first domain of a core finds in the CNode abicap.Machine beside what
// package capability says.
const (
	// machineFirst is the RAM that its CSpace and itself are made of,
	// machineStart the part of that for itself.
	machineFirst = 64 + iota
	machineStart
	// machineChannels is the frame of the channels to other monitors.
	machineChannels
)

// Where the pieces of I/O ports and interrupt sources go that are not the
// largest of their kind, behind the physical ranges.
const (
	otherPorts   = abicap.MachineDevices + kcb.MaxDevices
	otherSources = otherPorts + 12
	endOfDevices = abicap.MachineDevices + abicap.MachineDevicesSlots
)

// Sizes of the first CSpace.
const (
	firstL1Size = 64 << 10
	l2Size      = abicap.L2Slots * abicap.SlotSize
	cspaceSize  = firstL1Size + 2*l2Size
)

// first builds the first domain of the core, its monitor.
type first struct {
	*Driver
	ram  []memory.Extent // all that the kernel does not keep, the largest first
	root memory.Phys     // the slot with the L1 CNode
	// baseAt and machineAt are where the two L2 CNodes lie.
	baseAt, machineAt uint64
	err               error // the first that Create returned
}

// startMonitor makes capabilities of all that the kernel does not keep for
// itself, and of the first of them the core's monitor, which gets all.
func (d *Driver) startMonitor() error {
	return d.startFirst(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(kcb.LibosAt))), d.k.Machine.LibosSize))
}

// startFirst is startMonitor, given the libos's file.
func (d *Driver) startFirst(libos []byte) error {
	f := &first{Driver: d}
	d.k.Pages.Keep(reserve, func(e memory.Extent) { f.ram = append(f.ram, e) })
	slices.SortStableFunc(f.ram, func(a, b memory.Extent) int { return int(b.Pages()) - int(a.Pages()) })
	plan, err := f.plan(libos)
	if err != nil {
		return err
	}
	f.makeCSpace(plan)
	f.giveMachine()
	if f.err != nil {
		return f.err
	}
	if err := builder.Build(f, plan); err != nil {
		return err
	}
	if _, err := f.Invoke(abicap.Word(abicap.Base(abicap.SlotDispatcher), abicap.DispatcherRun), &abicap.Arguments{}); err != abicap.OK {
		return err
	}
	d.monitor = d.target(f.slot(f.baseAt, abicap.SlotDispatcher))
	return nil
}

// startMemory is how much memory the monitor has at its start, in bytes; on a
// small core it is an eighth of all.
const startMemory = 8 << 20

// plan says what the monitor is to be.
func (f *first) plan(libos []byte) (*builder.Plan, error) {
	m := &f.k.Machine
	image, err := builder.ParseLibos(libos)
	if err != nil {
		return nil, err
	}
	p := &builder.Plan{
		Name: "monitor", Info: monitorInfo(),
		Image: image, Libos: libos, LibosOffset: m.LibosPhys - m.ArchivePhys,
		ArchiveSize: archiveSize(m),
		RAM:         abicap.Machine(machineStart),
		CSpace:      abicap.Base(abicap.SlotCSpace), Mount: 1, InPlace: true,
	}
	if at, _, size := channels(m); size > 0 {
		p.Frames = []builder.Frame{{Address: at, Source: abicap.Machine(machineChannels), Size: size, Prot: abi.ProtRead | abi.ProtWrite}}
	}
	p.Size = (p.Least() + min(startMemory, f.k.Memory.Owned*abi.PageSize/8)) &^ (abi.PageSize - 1)
	if len(f.ram) == 0 || f.ram[0].Size() < p.Size+cspaceSize+2*kcb.ObjectSize {
		return nil, fmt.Errorf("too little memory: it takes %d MiB in one piece", (p.Size+cspaceSize)>>20+1)
	}
	return p, nil
}

// monitorInfo returns the monitor's Info.
func monitorInfo() []byte {
	const strings = "boot/monitor\x00/\x00monitor\x00GOMAXPROCS=1\x00"
	const header = uint32(unsafe.Sizeof(abi.Info{}))
	info := abi.Info{
		Magic: abi.InfoMagic, Size: header + uint32(len(strings)), Flags: abi.InfoLog,
		Program: header, Cwd: header + 13, Args: header + 15, NumArgs: 1, Env: header + 23, NumEnv: 1,
	}
	return append(slices.Clone(bytesOf(&info)), strings...)
}

// archiveSize returns the size of the boot archive's frame: large pages.
func archiveSize(m *kcb.Machine) uint64 {
	return (m.ArchiveSize + 2<<20 - 1) &^ (2<<20 - 1)
}

// channels returns where the core's monitor has its channels to others, where
// they lie, and their size: core 0's has one to each, another's one to core 0's.
func channels(m *kcb.Machine) (at, base, size uint64) {
	if m.Core != 0 {
		return abi.MonitorChannels, uint64(m.Channels) + uint64(m.Core)*abi.MonitorChannelSize, abi.MonitorChannelSize
	}
	return abi.MonitorChannels + abi.MonitorChannelSize, uint64(m.Channels) + abi.MonitorChannelSize, uint64(m.Cores-1) * abi.MonitorChannelSize
}

// slot returns the address of a slot of one of the two L2 CNodes.
func (f *first) slot(cnode uint64, n uint32) memory.Phys {
	return memory.Phys(cnode + uint64(n)*abicap.SlotSize)
}

// create makes a capability of nothing.
func (f *first) create(slot memory.Phys, t abicap.Type, base, size uint64, rights abicap.Rights) {
	o := capability.Object{Type: t, Base: base, Size: size}
	if err := f.cap.Create(slot, o, rights); err != abicap.OK && f.err == nil {
		f.err = fmt.Errorf("%v of %#x from %#x on: %w", t, size, base, err)
	}
}

// makeCSpace makes the CSpace, and its RAM: the first piece for the CSpace and
// the plan, and the rest.
func (f *first) makeCSpace(p *builder.Plan) {
	// The plan's part comes first, since it has the greatest alignment.
	e := &f.ram[0]
	p.Base = (uint64(e.Base) + kcb.ObjectSize - 1) &^ (kcb.ObjectSize - 1)
	f.baseAt = (p.Base + p.Size + l2Size - 1) &^ (l2Size - 1)
	f.machineAt = f.baseAt + l2Size
	l1At := f.machineAt + l2Size
	end := l1At + firstL1Size
	for at := memory.Phys(f.baseAt); at < memory.Phys(end); at += capability.ClearUnit {
		f.Zero(at, min(capability.ClearUnit, end-uint64(at)))
	}
	f.create(f.slot(f.machineAt, machineFirst), abicap.RAM, uint64(e.Base), end-uint64(e.Base), abicap.AllRights)
	if e.Base = memory.Phys(end); e.Base == e.End {
		f.ram = f.ram[1:]
	}
	for i, e := range f.ram {
		f.create(f.slot(f.machineAt, abicap.MachineRAM+uint32(i)), abicap.RAM, uint64(e.Base), e.Size(), abicap.AllRights)
	}

	l1 := func(n uint32) memory.Phys { return f.slot(l1At, n) }
	f.root = f.slot(f.baseAt, abicap.SlotCSpace)
	f.create(f.root, abicap.L1CNode, l1At, firstL1Size, abicap.AllRights)
	f.create(l1(1), abicap.L2CNode, f.baseAt, l2Size, abicap.AllRights)
	f.create(l1(2), abicap.L2CNode, f.machineAt, l2Size, abicap.AllRights)
	f.copy(f.slot(f.baseAt, abicap.SlotBase), l1(1), abicap.AllRights)
	err := f.cap.Retype(f.slot(f.machineAt, machineStart), f.slot(f.machineAt, machineFirst), abicap.RAM,
		p.Base-f.cap.BaseOf(f.slot(f.machineAt, machineFirst)), p.Size, 1)
	if err != abicap.OK && f.err == nil {
		f.err = err
	}
}

// copy copies a capability.
func (f *first) copy(to, from memory.Phys, rights abicap.Rights) {
	if err := f.cap.Copy(to, from, rights); err != abicap.OK && f.err == nil {
		f.err = err
	}
}

// giveMachine makes the capabilities to all that is not RAM.
func (f *first) giveMachine() {
	m := &f.k.Machine
	base := func(n uint32) memory.Phys { return f.slot(f.baseAt, n) }
	machine := func(n uint32) memory.Phys { return f.slot(f.machineAt, n) }

	f.create(base(abicap.SlotKernel), abicap.Kernel, uint64(m.Core), 1, abicap.AllRights)
	f.copy(base(abicap.SlotLog), base(abicap.SlotKernel), abicap.RightWrite)
	f.create(base(abicap.SlotDoorbells), abicap.RemoteDoorbell, 0, uint64(m.Cores)*abi.CoreDispatchers, abicap.AllRights)
	f.create(base(abicap.SlotDomains), abicap.Domain, 1, 1<<32-1, abicap.AllRights)
	if err := f.cap.Retype(base(abicap.SlotDomain), base(abicap.SlotDomains), abicap.Domain, 0, 1, 1); err != abicap.OK && f.err == nil {
		f.err = err
	}
	f.create(base(abicap.SlotArchive), abicap.Frame, m.ArchivePhys, archiveSize(m), abicap.RightRead|abicap.RightExecute|abicap.RightGrant)
	if _, at, size := channels(m); size > 0 {
		f.create(machine(machineChannels), abicap.Frame, at, size, abicap.RightRead|abicap.RightWrite)
	}
	f.create(base(abicap.SlotIRQDestination), abicap.IRQDestination, userVectors, userVectorsEnd-userVectors, abicap.AllRights)
	if counters = amd64.FindCounters(); counters.Number > 0 {
		f.create(base(abicap.SlotCounters), abicap.PerformanceCounter, 0, uint64(counters.Number), abicap.AllRights)
	}
	if m.Core != 0 {
		return
	}
	for i := range f.k.Memory.NumDevices {
		e := f.k.Memory.Devices[i]
		f.create(machine(abicap.MachineDevices+i), abicap.PhysicalRange, uint64(e.Base), e.Size(), abicap.AllRights)
	}
	f.giveParts(abicap.IOPorts, abicap.SlotIOPorts, otherPorts, otherSources, freePorts(m))
	f.giveParts(abicap.IRQSource, abicap.SlotIRQSource, otherSources, endOfDevices, freeSources(&f.k.Interrupts))
}

// part is a range of numbers: [first, end).
type part struct{ first, end uint64 }

// giveParts puts the largest of some parts into a slot of the base CNode, and
// the others into slots of the machine's CNode, as many as there are.
func (f *first) giveParts(t abicap.Type, largest, others, end uint32, parts []part) {
	slices.SortStableFunc(parts, func(a, b part) int { return int(b.end-b.first) - int(a.end-a.first) })
	slot := f.slot(f.baseAt, largest)
	for _, p := range parts {
		f.create(slot, t, p.first, p.end-p.first, abicap.AllRights)
		if others == end {
			return
		}
		slot = f.slot(f.machineAt, others)
		others++
	}
}

// freePorts returns the I/O ports that the kernel does not use itself.
func freePorts(m *kcb.Machine) []part {
	used := []part{
		{0x20, 0x22}, {0xa0, 0xa2}, // the legacy interrupt controllers
		{0x2f8, 0x300}, {0x3f8, 0x400}, // the serial ports
		{0xcf8, 0xd00}, // PCI's configuration, with which all memory can be reached
		{uint64(m.PM1a), uint64(m.PM1a) + 2},
		{uint64(m.ResetPort), uint64(m.ResetPort) + 1},
	}
	return gaps(1<<16, func(n uint64) bool {
		return slices.ContainsFunc(used, func(p part) bool { return p.first != 0 && p.first <= n && n < p.end })
	})
}

// freeSources returns the interrupt sources that some controller has and the
// kernel does not use itself.
func freeSources(x *kcb.Interrupts) []part {
	return gaps(kcb.MaxSources, func(n uint64) bool { return x.Controller(n) == nil || x.Sources[n].Kernel })
}

// gaps returns the parts of the numbers below n that are not used.
func gaps(n uint64, used func(uint64) bool) (parts []part) {
	for i := range n {
		if used(i) {
			continue
		}
		if k := len(parts); k > 0 && parts[k-1].end == i {
			parts[k-1].end++
		} else {
			parts = append(parts, part{i, i + 1})
		}
	}
	return parts
}

// Invoke makes an invocation in the first CSpace: the builder's way to it.
func (f *first) Invoke(word uint64, a *abicap.Arguments) (uint64, abicap.Error) {
	return f.invokeAs(f.root, word, a)
}

// Fill lets a function write a frame.
func (f *first) Fill(frame abicap.Reference, size uint64, fill func([]byte)) error {
	slot, err := f.cap.LookupType(f.root, frame, abicap.Frame, abicap.RightWrite)
	if err != abicap.OK {
		return err
	}
	if size > f.cap.SizeOf(slot) {
		return abicap.ErrRange
	}
	fill(unsafe.Slice((*byte)(unsafe.Pointer(f.k.Pages.At(memory.Phys(f.cap.BaseOf(slot))))), size))
	return nil
}
