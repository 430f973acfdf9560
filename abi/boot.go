package abi

// BootPhys is the physical address of the boot segment of the image: its first
// page is a BootHeader, the 32-bit entry stub and the first page tables follow.
const BootPhys = 0x10_0000

// BootMagic marks a BootHeader.
const BootMagic = 0x746f6f4279726b53 // "SkryBoot"

// BootHeader tells the first CPU driver what the image builder put where. All
// addresses are physical but Segment.VA.
//
// The stub enters the kernel's ELF entry point in 64-bit mode with RDI = the
// PVH start info, RSI = this header, both physical; interrupts off; no stack;
// CS, SS, DS, ES flat; CR0 = PE|MP|NE|WP|PG, CR4 = PAE|PGE|OSFXSR|OSXMMEXCPT,
// EFER = SCE|LME|NXE; the first 4 GiB mapped one to one, and the kernel's
// image mapped at its link address, both writable and executable.
type BootHeader struct {
	Magic       uint64
	ArchivePhys uint64 // start of the boot archive, 2 MiB aligned
	ArchiveSize uint64 // its bytes; the rest of its last 2 MiB page is unused RAM
	KernelPhys  uint64 // where the link address KernelBase+KernelOffset-PageSize lies
	KernelSize  uint64 // bytes from there to the end of bss, rounded up to pages
	NumSegments uint64
	Segments    [4]BootSegment
}

// BootSegment is one loadable segment of the kernel.
type BootSegment struct {
	VA   uint64 // link address, page-aligned
	Size uint64 // bytes in memory, rounded up to pages
	Prot uint64 // ProtRead, ProtWrite, ProtExec
}

// Paths in the boot archive that the system itself uses.
const (
	ArchiveKernel   = "boot/kernel"        // the kernel's ELF, for the other cores' copies
	ArchiveLibos    = "boot/libos"         // the libos's ELF
	ArchiveMonitor  = "boot/monitor"       // the monitor, a static Go program
	ArchiveManifest = "boot/manifest.json" // what to start; package manifest
)
