package abi

// The user half of an address space, by convention of spawners and liboses; all
// the CPU driver knows of it is DispatcherBase and where LibosHeap is. Programs
// own everything below ProgramTop. What lies from ArchiveBase on the spawner
// maps, and the libos leaves it alone; between, all is the libos's.
const (
	// ProgramTop is the end of the addresses a program may map.
	ProgramTop = 0x0000_7a00_0000_0000
	// LibosHeap is where the libos keeps memory of its own (thread tables,
	// pipes, vector save areas), sparse: a page fault there while disabled is
	// an upcall too, NestedFault, so that the libos can page it itself.
	LibosHeap    = 0x0000_7b00_0000_0000
	LibosHeapEnd = ArchiveBase
	// ArchiveBase is where the boot archive is mapped, whole, read-only and
	// not executable, in every domain.
	ArchiveBase = 0x0000_7d00_0000_0000
	// DispatcherBase is where the dispatcher frame is mapped, writable.
	// GS base holds this address whenever the domain runs.
	DispatcherBase = 0x0000_7e00_0000_0000
	// InfoBase is where the domain's Info is mapped, read-only.
	InfoBase = DispatcherBase + 0x10000
	// StdioBase is where the frame of the channels to the domain that spawned
	// this one is mapped, writable, shared with it: StdioSize bytes for
	// standard input and output, and from SupplyBase on SupplySize bytes for
	// memory (package lib/supply).
	StdioBase  = DispatcherBase + 0x100000
	SupplyBase = StdioBase + StdioSize
	// SessionBase is where the frame of a program that is given messages is mapped,
	// writable, shared with its monitor: SessionRing bytes for the channel of package
	// lib/session, then the page with the sleep word of the program's board, which
	// peers read, then the page with its hints, which peers write.
	SessionBase = StdioBase + 0x10000
	// MonitorChannels is where monitors find the frames they share with the
	// monitors of other cores: the channel to core k is at
	// MonitorChannels + k*MonitorChannelSize.
	MonitorChannels = DispatcherBase + 0x1000_0000
	// SpanBase is where the frame is mapped that the dispatchers of a domain on
	// several cores share: SpanSize(how many) bytes. Its memory is home's.
	SpanBase = DispatcherBase + 0x2000_0000
	// LibosBase is the link base of the libos; its text starts here.
	LibosBase = 0x0000_7f00_0000_0000
	// UserTop is the end of the user half.
	UserTop = 0x0000_8000_0000_0000
)

// Sizes of the frames above, in bytes.
const (
	// DispatcherSize covers the dispatcher page and the two vector save
	// areas that follow it.
	DispatcherSize     = 3 * PageSize
	StdioSize          = 7 * PageSize
	SupplySize         = PageSize
	SessionRing        = 2 * PageSize
	SessionSleep       = SessionRing
	SessionHints       = SessionSleep + PageSize
	SessionSize        = SessionHints + PageSize
	ChannelsSize       = StdioSize + SupplySize
	MonitorChannelSize = 16 * PageSize
	InfoMax            = 16 * PageSize
	// VectorAreaSize holds any XSAVE area the CPU driver enables: x87, SSE,
	// AVX and AVX-512 take 2,688 bytes.
	VectorAreaSize = PageSize
)

// A domain with several dispatchers. The program's part of its address space is
// [0, SpanTop), SpanTables page tables of level 3, which are home's and part of
// every dispatcher's top table unless the domain is replicated.
const (
	MaxDispatchers = 64
	SpanTables     = 4
	SpanTop        = SpanTables << 39
)

// Sizes in the frame at SpanBase, which package libos/span lays out: SpanControl
// bytes about the domain, SpanThread for each of up to SpanThreads threads, and
// SpanDispatcher for each dispatcher.
const (
	SpanControl    = 16 * PageSize
	SpanThreads    = 512
	SpanThread     = 512
	SpanDispatcher = PageSize
)

// SpanSize is the size of the frame at SpanBase for a number of dispatchers.
func SpanSize(dispatchers uint64) uint64 {
	return SpanControl + SpanThreads*SpanThread + dispatchers*SpanDispatcher
}

// The kernel half. Each CPU driver has page tables of its own, so the same
// addresses name different memory on different cores.
const (
	// WindowBase + p is where a CPU driver sees physical address p, if (and
	// only if) its core owns the page.
	WindowBase = 0xffff_8000_0000_0000
	// KernelHeap is where the kernel's own Go heap lies, demand-paged.
	KernelHeap    = 0xffff_c000_0000_0000
	KernelHeapEnd = 0xffff_e000_0000_0000
	// KernelBase is what is added to the image-relative address: the kernel
	// is linked at KernelBase+KernelOffset on every core.
	KernelBase   = 0xffff_ffff_8000_0000
	KernelOffset = 0x20_0000
	// DeviceBase is where device registers and the declared channels between
	// kernels are mapped.
	DeviceBase = 0xffff_ffff_4000_0000
)

// CoreDispatchers is how many dispatchers a core can have at a time.
const CoreDispatchers = 512

// MaxCores bounds the cores of a machine: an xAPIC cannot address more.
const MaxCores = 254
