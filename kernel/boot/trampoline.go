package boot

import "encoding/binary"

// The trampoline takes a processor from real mode, where STARTUP leaves it, to
// the kernel's entry (SDM 3A 8.4, 9.8.5). It is one page below 1 MiB; the code
// is written for page 0 and relocated by what trampoline patches in. Offsets
// of its parts:
const (
	tramp32   = 0x40
	tramp64   = 0x80
	trampGDT  = 0xc0
	trampGDTR = 0xe8
	trampArgs = 0xf0 // entry, KCB, page tables: 8 bytes each
)

// trampoline returns the page for a processor that starts at the physical
// address base, with boot page tables at tables (below 4 GiB).
func trampoline(base, tables uint32, entry, kcb, root uint64) []byte {
	p := make([]byte, 0x110)
	at := func(off int, code ...byte) { copy(p[off:], code) }
	le32 := binary.LittleEndian.PutUint32
	le64 := binary.LittleEndian.PutUint64

	at(0,
		0xfa,       // cli
		0xfc,       // cld
		0x8c, 0xc8, // mov ax, cs
		0x8e, 0xd8, // mov ds, ax
		0x66, 0x0f, 0x01, 0x16, trampGDTR, 0, // lgdtl [trampGDTR]
		0x0f, 0x20, 0xc0, // mov eax, cr0
		0x0c, 0x01, // or al, 1 (PE)
		0x0f, 0x22, 0xc0, // mov cr0, eax
		0x66, 0xea, 0, 0, 0, 0, 0x08, 0, // ljmpl 0x08:tramp32
	)
	le32(p[22:], base+tramp32)

	at(tramp32,
		0xb8, 0x10, 0, 0, 0, // mov eax, 0x10
		0x8e, 0xd8, // mov ds, eax
		0x8e, 0xc0, // mov es, eax
		0x8e, 0xd0, // mov ss, eax
		0xb8, 0xa0, 0x06, 0, 0, // mov eax, PAE|PGE|OSFXSR|OSXMMEXCPT
		0x0f, 0x22, 0xe0, // mov cr4, eax
		0xb8, 0, 0, 0, 0, // mov eax, tables
		0x0f, 0x22, 0xd8, // mov cr3, eax
		0xb9, 0x80, 0, 0, 0xc0, // mov ecx, IA32_EFER
		0x0f, 0x32, // rdmsr
		0x0d, 0x01, 0x09, 0, 0, // or eax, SCE|LME|NXE
		0x0f, 0x30, // wrmsr
		0xb8, 0x33, 0, 0x01, 0x80, // mov eax, PG|WP|NE|ET|MP|PE
		0x0f, 0x22, 0xc0, // mov cr0, eax
		0xea, 0, 0, 0, 0, 0x18, 0, // ljmp 0x18:tramp64
	)
	le32(p[tramp32+20:], tables)
	le32(p[tramp32+50:], base+tramp64)

	at(tramp64,
		0xbe, 0, 0, 0, 0, // mov esi, base+trampArgs
		0x48, 0x8b, 0x06, // mov rax, [rsi]
		0x48, 0x8b, 0x7e, 0x08, // mov rdi, [rsi+8]
		0x48, 0x8b, 0x56, 0x10, // mov rdx, [rsi+16]
		0x31, 0xf6, // xor esi, esi
		0xff, 0xe0, // jmp rax
	)
	le32(p[tramp64+1:], base+trampArgs)

	le64(p[trampGDT+0x08:], 0x00cf_9b00_0000_ffff) // 32-bit code
	le64(p[trampGDT+0x10:], 0x00cf_9300_0000_ffff) // data
	le64(p[trampGDT+0x18:], 0x00af_9b00_0000_ffff) // 64-bit code
	binary.LittleEndian.PutUint16(p[trampGDTR:], 0x1f)
	le32(p[trampGDTR+2:], base+trampGDT)

	le64(p[trampArgs:], entry)
	le64(p[trampArgs+8:], kcb)
	le64(p[trampArgs+16:], root)
	return p
}
