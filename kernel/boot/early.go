package boot

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// startStackSize is the stack of the first thread of the runtime, which takes
// it for granted that 64 KiB are there.
const startStackSize = 128 << 10

var (
	startStack [startStackSize]byte
	// seed is what AT_RANDOM names.
	seed [2]uint64
)

// What the first core found before its runtime ran.
var (
	machineMap [maxMap]mapEntry
	numMap     int
	rsdp       uint64
	coreKCB    uintptr
)

const maxMap = 64

// mapEntry is one entry of the firmware's memory map.
type mapEntry struct {
	Base, Size uint64
	Type       uint32
	_          uint32
}

const mapRAM = 1

// startInfo is the PVH start info (Xen's public/arch-x86/hvm/start_info.h).
type startInfo struct {
	Magic, Version    uint32
	Flags, NumModules uint32
	Modules           uint64
	CommandLine       uint64
	RSDP              uint64
	Map               uint64
	NumMap            uint32
	_                 uint32
}

const startInfoMagic = 0x336ec578

// early makes this core ready for the Go runtime: it is entry's only callee.
func early(first, second uintptr) {
	amd64.SetupTraps()
	amd64.DetectFeatures()
	amd64.SetupDescriptors()
	if second != 0 {
		amd64.MaskPIC()
		console.SetupOwner()
	}
	if c := &amd64.CPU; !c.FSGSBASE || !c.NX || !c.XSAVE {
		die("the processor lacks FSGSBASE, NX or XSAVE: use -cpu max or a newer machine")
	}
	amd64.EnableFeatures()
	for i := range seed {
		seed[i] = amd64.Entropy() * 0x9e3779b97f4a7c15
	}
	if second != 0 {
		earlyFirst((*startInfo)(unsafe.Pointer(first)), (*abi.BootHeader)(unsafe.Pointer(second)))
	} else {
		coreKCB = first
	}
	k := KCB()
	carry.SetClock(&k.Machine.Clock)
	carry.Setup(k)
	console.Attach(outboxesAt, k.Machine.Core)
	if second == 0 {
		amd64.SetupAPIC(apicAt)
		console.SetOwnerAPIC(k.Machine.APICs[0])
	}
	console.SetState(abi.CoreStarting)
}

// KCB returns this core's kernel control block.
func KCB() *kcb.KCB { return (*kcb.KCB)(unsafe.Pointer(coreKCB)) }

// earlyFirst finds memory for the first core's KCB, page tables and heap, and
// leaves the stub's page tables for its own.
func earlyFirst(info *startInfo, header *abi.BootHeader) {
	if info.Magic != startInfoMagic || header.Magic != abi.BootMagic {
		die("the image was not started by PVH, or is damaged")
	}
	for i := range info.NumMap {
		if numMap == maxMap {
			break
		}
		machineMap[numMap] = *(*mapEntry)(unsafe.Pointer(uintptr(info.Map) + uintptr(i)*unsafe.Sizeof(mapEntry{})))
		numMap++
	}
	rsdp = info.RSDP
	extent := firstExtent(header)
	if extent.Pages() < 1024 {
		die("too little memory: the image does not fit; give the machine more")
	}

	// Until the own page tables are loaded, memory is where the stub's map it:
	// at its physical address.
	pages := memory.Pages{}
	pages.Add(extent, extent.Base)
	at := pages.AllocRun(uint64(kcb.Size/abi.PageSize), abi.PageSize)
	k := (*kcb.KCB)(unsafe.Pointer(uintptr(at)))
	*k = kcb.KCB{Magic: kcb.Magic, Version: kcb.Version}
	k.Pages = pages
	m := &k.Machine
	m.Cores = 1
	m.ArchivePhys, m.ArchiveSize = header.ArchivePhys, header.ArchiveSize
	m.KernelPhys, m.KernelSize = header.KernelPhys, header.KernelSize
	m.NumSegments, m.Segments = header.NumSegments, header.Segments
	// Until the clock is calibrated it runs slowly, so that it later jumps
	// forward.
	m.Clock.Base = amd64.TSC()
	carry.SetHz(&m.Clock, 10_000_000_000)
	if p := uintptr(info.CommandLine); p != 0 {
		for i := range m.CommandLine {
			c := *(*byte)(unsafe.Pointer(p + uintptr(i)))
			if c == 0 {
				break
			}
			m.CommandLine[i] = c
			m.CommandLineLength = uint32(i + 1)
		}
	}
	// How many outboxes there will be is not known yet; prepare makes them
	// all. Until then the first core logs with one in its own memory.
	m.Outboxes = k.Pages.AllocRun(console.OutboxSize/abi.PageSize, abi.PageSize)
	clear(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(m.Outboxes))), console.OutboxSize))

	if !buildSpace(k, &k.Pages, true) {
		die("too little memory for page tables")
	}
	amd64.SetCR3(uintptr(k.Root))
	k.Pages.Offset = abi.WindowBase
	coreKCB = uintptr(at) + abi.WindowBase
}

// firstExtent returns the memory that the first core starts with: the gap that
// the image builder leaves between the kernel and the archive.
func firstExtent(header *abi.BootHeader) memory.Extent {
	start := (header.KernelPhys + header.KernelSize + abi.PageSize - 1) &^ (abi.PageSize - 1)
	for i := range machineMap {
		e := &machineMap[i]
		if i < numMap && e.Type == mapRAM && start >= e.Base && start < e.Base+e.Size {
			end := min(e.Base+e.Size, header.ArchivePhys) &^ (abi.PageSize - 1)
			return memory.Extent{Base: memory.Phys(start), End: memory.Phys(max(start, end))}
		}
	}
	return memory.Extent{}
}

// die ends a start that has no KCB yet.
func die(why string) {
	console.Begin("skerry: panic: core 0: ")
	console.Write(why)
	console.Flush()
	console.Drain()
	amd64.Halt()
}
