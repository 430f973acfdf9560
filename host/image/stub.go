package image

import (
	"encoding/binary"

	"skerry/abi"
)

// Layout of the boot segment, as offsets from abi.BootPhys. The header has a
// page, the stub and its descriptor table have one, the page tables follow.
const (
	stubOffset    = 0x1000
	gdtOffset     = 0x1f00
	gdtPointer    = 0x1f20
	pml4Offset    = 0x2000
	pdptLow       = 0x3000 // of the identity map, first 512 GiB
	pdptHigh      = 0x4000 // of the top 512 GiB, where the kernel is linked
	directories   = 0x5000 // four page directories, 1 GiB each
	bootSize      = 0x9000
	entryPhys     = abi.BootPhys + stubOffset
	codeSelector  = 0x08
	dataSelector  = 0x10
	largePage     = 2 << 20
	present       = 1 << 0
	writable      = 1 << 1
	large         = 1 << 7
	control0      = 1<<31 | 1<<16 | 1<<5 | 1<<4 | 1<<1 | 1<<0 // PG WP NE ET MP PE
	control4      = 1<<5 | 1<<7 | 1<<9 | 1<<10                // PAE PGE OSFXSR OSXMMEXCPT
	efer          = 1<<0 | 1<<8 | 1<<11                       // SCE LME NXE
	eferMSR       = 0xc000_0080
	kernelLink    = abi.KernelBase + abi.KernelOffset - abi.PageSize // where its first segment is linked
	kernelLinkEnd = abi.KernelBase + 1<<30                           // as far as the boot tables map
)

// assembler collects machine code.
type assembler struct{ code []byte }

func (a *assembler) bytes(b ...byte) { a.code = append(a.code, b...) }
func (a *assembler) imm32(v uint32)  { a.code = binary.LittleEndian.AppendUint32(a.code, v) }
func (a *assembler) imm64(v uint64)  { a.code = binary.LittleEndian.AppendUint64(a.code, v) }

// stub returns the code that a PVH loader enters: 32-bit protected mode, flat
// segments, paging off, EBX = start info. It ends in entry (a 64-bit address)
// in the state that abi.BootHeader promises.
func stub(entry uint64) []byte {
	var a assembler
	a.bytes(0xfa)       // cli
	a.bytes(0xfc)       // cld
	a.bytes(0x89, 0xdf) // mov edi, ebx
	a.bytes(0x0f, 0x01, 0x15)
	a.imm32(abi.BootPhys + gdtPointer) // lgdt [gdtPointer]
	a.bytes(0xb8)
	a.imm32(control4)         // mov eax, control4
	a.bytes(0x0f, 0x22, 0xe0) // mov cr4, eax
	a.bytes(0xb8)
	a.imm32(abi.BootPhys + pml4Offset) // mov eax, PML4
	a.bytes(0x0f, 0x22, 0xd8)          // mov cr3, eax
	a.bytes(0xb9)
	a.imm32(eferMSR) // mov ecx, EFER
	a.bytes(0xb8)
	a.imm32(efer)       // mov eax, efer
	a.bytes(0x31, 0xd2) // xor edx, edx
	a.bytes(0x0f, 0x30) // wrmsr
	a.bytes(0xb8)
	a.imm32(control0)         // mov eax, control0
	a.bytes(0x0f, 0x22, 0xc0) // mov cr0, eax: paging on, long mode active
	a.bytes(0xea)
	a.imm32(entryPhys + uint32(len(a.code)) + 6)
	a.bytes(codeSelector, 0) // jmp far codeSelector:next
	// 64-bit code from here.
	a.bytes(0xb8)
	a.imm32(dataSelector) // mov eax, dataSelector
	a.bytes(0x8e, 0xd8)   // mov ds, eax
	a.bytes(0x8e, 0xc0)   // mov es, eax
	a.bytes(0x8e, 0xd0)   // mov ss, eax
	a.bytes(0x8e, 0xe0)   // mov fs, eax
	a.bytes(0x8e, 0xe8)   // mov gs, eax
	a.bytes(0x89, 0xff)   // mov edi, edi: clears the upper half
	a.bytes(0xbe)
	a.imm32(abi.BootPhys) // mov esi, header: clears the upper half
	a.bytes(0x48, 0xb8)
	a.imm64(entry)      // mov rax, entry
	a.bytes(0xff, 0xe0) // jmp rax
	return a.code
}

// descriptors is the stub's segment descriptor table.
var descriptors = [...]uint64{
	0,
	0x00af_9b00_0000_ffff, // codeSelector: 64-bit code, flat
	0x00cf_9300_0000_ffff, // dataSelector: data, flat
}

// bootSegment returns the bytes that lie at abi.BootPhys.
func bootSegment(h *abi.BootHeader, entry uint64) []byte {
	b := make([]byte, bootSize)
	if _, err := binary.Encode(b, binary.LittleEndian, h); err != nil {
		panic(err) // a BootHeader is of fixed size and smaller than a page
	}
	copy(b[stubOffset:gdtOffset], stub(entry))
	put := binary.LittleEndian.PutUint64
	for i, d := range descriptors {
		put(b[gdtOffset+8*i:], d)
	}
	binary.LittleEndian.PutUint16(b[gdtPointer:], 8*uint16(len(descriptors))-1)
	binary.LittleEndian.PutUint32(b[gdtPointer+2:], abi.BootPhys+gdtOffset)

	// The kernel's link address minus KernelBase is its physical address, so
	// the first gigabyte's directory serves for both maps.
	table := func(at, index int, target uint64, bits uint64) {
		put(b[at+8*index:], target|bits|present|writable)
	}
	table(pml4Offset, 0, abi.BootPhys+pdptLow, 0)
	table(pml4Offset, int(uint64(abi.KernelBase)>>39&511), abi.BootPhys+pdptHigh, 0)
	table(pdptHigh, int(uint64(abi.KernelBase)>>30&511), abi.BootPhys+directories, 0)
	for g := range 4 {
		table(pdptLow, g, uint64(abi.BootPhys+directories+g*0x1000), 0)
		for i := range 512 {
			table(directories+g*0x1000, i, uint64(g<<30+i*largePage), large)
		}
	}
	return b
}
