#include "textflag.h"

// CHECK says the letter if the comparison before it came out equal, and "!" if not.
#define CHECK(letter) \
	MOVL $letter, AX \
	JEQ 2(PC) \
	MOVL $0x21, AX \
	MOVW $0x3f8, DX \
	OUTB

// entry is entered by the image's stub: RDI = start info, RSI = boot header.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	MOVQ $0x746f6f4279726b53, BX // abi.BootMagic
	CMPQ BX, (SI)
	CHECK(0x4d) // M
	MOVL (DI), BX
	CMPL BX, $0x336ec578 // PVH start info
	CHECK(0x49) // I
	MOVQ CR0, BX
	CMPL BX, $0x80010033
	CHECK(0x30) // 0
	MOVQ CR4, BX
	CMPL BX, $0x6a0
	CHECK(0x34) // 4
	MOVL $0xc0000080, CX
	RDMSR
	CMPL AX, $0xd01 // EFER with LMA
	CHECK(0x45) // E
	LEAQ ·entry(SB), BX
	SHRQ $30, BX
	MOVQ $0x3fffffffe, CX // runs in the top 2 GiB
	CMPQ BX, CX
	CHECK(0x4c) // L
	MOVQ ·zero+8(SB), BX
	CMPQ BX, $0
	CHECK(0x5a) // Z
	// The archive's magic lies where the header says.
	MOVQ 8(SI), CX
	MOVQ $0x6576696863724153, BX
	CMPQ BX, (CX)
	CHECK(0x41) // A
	MOVL $0x0a, AX
	MOVW $0x3f8, DX
	OUTB
	MOVL $0, AX
	MOVW $0xf4, DX
	OUTL
	HLT
