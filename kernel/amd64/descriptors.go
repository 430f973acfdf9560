package amd64

import "unsafe"

// Segment selectors. SYSRET wants user data directly below user code, and
// SYSCALL kernel data directly above kernel code (SDM 3A 5.8.8).
const (
	selKernelCode = 0x08
	selKernelData = 0x10
	selUserData   = 0x18 | 3
	selUserCode   = 0x20 | 3
	selTSS        = 0x28
)

// Interrupt stacks: every vector has one, since what an interrupt finds in RSP
// may be a goroutine's stack with a hundred bytes left, or a user's.
const (
	istTrap = iota + 1 // interrupts, and exceptions of user code
	istNMI
	istDoubleFault
	istMachineCheck
	istPageFault // the kernel's own heap is paged on demand
)

// Bytes of each interrupt stack. The page-fault stack carries the pager of
// the kernel's own runtime.
const istSize = 16 << 10

var (
	istStacks [6][istSize]byte

	gdt [7]uint64
	tss [26]uint32 // SDM 3A 8.7, figure 8-11; the I/O map base lies beyond the limit
	idt [256][2]uint64

	// Operands of LGDT and LIDT: limit, base.
	gdtr, idtr [10]byte
)

func loadDescriptors()

// vectorTable returns the address of the trap stubs, 8 bytes each.
func vectorTable() uintptr

// syscallAddress returns the address of the SYSCALL entry.
func syscallAddress() uintptr

func addressOf(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

func setRegister(r *[10]byte, base uint64, limit uint16) {
	r[0], r[1] = byte(limit), byte(limit>>8)
	for i := range 8 {
		r[2+i] = byte(base >> (8 * i))
	}
}

// Model-specific registers of SYSCALL (SDM 4).
const (
	msrEFER   = 0xc000_0080
	msrSTAR   = 0xc000_0081
	msrLSTAR  = 0xc000_0082
	msrCSTAR  = 0xc000_0083
	msrFMASK  = 0xc000_0084
	msrFSBase = 0xc000_0100
)

// SetupDescriptors builds and loads the GDT, TSS and IDT of this core and
// points SYSCALL at the kernel. Interrupts stay off.
func SetupDescriptors() {
	gdt[1] = 0x00af_9b00_0000_ffff // kernel code, 64-bit
	gdt[2] = 0x00cf_9300_0000_ffff // kernel data
	gdt[3] = 0x00cf_f300_0000_ffff // user data
	gdt[4] = 0x00af_fb00_0000_ffff // user code, 64-bit
	base := addressOf(unsafe.Pointer(&tss))
	gdt[5] = 0x0000_8900_0000_0000 | uint64(unsafe.Sizeof(tss)-1) |
		base&0xff_ffff<<16 | base>>24&0xff<<56
	gdt[6] = base >> 32
	for i := range istStacks {
		top := addressOf(unsafe.Pointer(&istStacks[i])) + istSize&^15
		// RSP0 at word 1, IST1 at word 9.
		w := 1
		if i > 0 {
			w = 9 + 2*(i-1)
		}
		tss[w], tss[w+1] = uint32(top), uint32(top>>32)
	}
	tss[25] = uint32(unsafe.Sizeof(tss)) << 16
	for v := range idt {
		ist := uint64(istTrap)
		switch v {
		case 2:
			ist = istNMI
		case 8:
			ist = istDoubleFault
		case 14:
			ist = istPageFault
		case 18:
			ist = istMachineCheck
		}
		stub := uint64(vectorTable()) + 8*uint64(v)
		dpl := uint64(0)
		if v == 3 { // INT3 is the user's to execute
			dpl = 3
		}
		idt[v][0] = stub&0xffff | selKernelCode<<16 | ist<<32 |
			(0x8e|dpl<<5)<<40 | stub>>16&0xffff<<48
		idt[v][1] = stub >> 32
	}
	setRegister(&gdtr, addressOf(unsafe.Pointer(&gdt)), uint16(unsafe.Sizeof(gdt)-1))
	setRegister(&idtr, addressOf(unsafe.Pointer(&idt)), uint16(unsafe.Sizeof(idt)-1))
	loadDescriptors()

	WriteMSR(msrEFER, ReadMSR(msrEFER)|1)
	WriteMSR(msrSTAR, selKernelCode<<32|uint64(selUserData-8)<<48)
	WriteMSR(msrLSTAR, uint64(syscallAddress()))
	WriteMSR(msrCSTAR, 0)
	// Clear everything a user can set: interrupts off, no trap, direction up,
	// no alignment check.
	WriteMSR(msrFMASK, 0x257fd5)
}

// PrivateStackEnd returns the end of the stack of freestanding code that sp
// lies on, or 0 if it lies on none.
func PrivateStackEnd(sp uintptr) uintptr {
	for i := range istStacks {
		base := uintptr(unsafe.Pointer(&istStacks[i]))
		if sp >= base && sp < base+istSize {
			return base + istSize
		}
	}
	if base := uintptr(unsafe.Pointer(&callStack)); sp >= base && sp < base+callStackSize {
		return base + callStackSize
	}
	return 0
}
