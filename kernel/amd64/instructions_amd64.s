#include "textflag.h"

// Contracts stand with the prototypes in instructions.go.

TEXT ·In(SB), NOSPLIT, $0-9
	MOVW port+0(FP), DX
	INB
	MOVB AX, ret+8(FP)
	RET

TEXT ·Out(SB), NOSPLIT, $0-3
	MOVW port+0(FP), DX
	MOVB value+2(FP), AX
	OUTB
	RET

TEXT ·In32(SB), NOSPLIT, $0-12
	MOVW port+0(FP), DX
	INL
	MOVL AX, ret+8(FP)
	RET

TEXT ·Out16(SB), NOSPLIT, $0-4
	MOVW port+0(FP), DX
	MOVW value+2(FP), AX
	OUTW
	RET

TEXT ·ReadMSR(SB), NOSPLIT, $0-16
	MOVL r+0(FP), CX
	RDMSR
	SHLQ $32, DX
	MOVL AX, AX
	ORQ  DX, AX
	MOVQ AX, ret+8(FP)
	RET

TEXT ·WriteMSR(SB), NOSPLIT, $0-16
	MOVL r+0(FP), CX
	MOVQ value+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	RET

TEXT ·TSC(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·Pause(SB), NOSPLIT, $0-0
	PAUSE
	RET

TEXT ·CPUID(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

TEXT ·SetCR3(SB), NOSPLIT, $0-8
	MOVQ root+0(FP), AX
	MOVQ AX, CR3
	RET

TEXT ·CR4(SB), NOSPLIT, $0-8
	MOVQ CR4, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·SetCR4(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR4
	RET

TEXT ·SetXCR0(SB), NOSPLIT, $0-8
	MOVQ mask+0(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	XORL CX, CX
	XSETBV
	RET

TEXT ·Invlpg(SB), NOSPLIT, $0-8
	MOVQ va+0(FP), AX
	INVLPG (AX)
	RET

TEXT ·Halt(SB), NOSPLIT, $0-0
forever:
	CLI
	HLT
	JMP forever

TEXT ·RDRAND(SB), NOSPLIT, $0-9
	MOVQ $16, CX
again:
	RDRANDQ AX
	JCS  got
	PAUSE
	DECQ CX
	JNZ  again
	MOVB $0, ok+8(FP)
	RET
got:
	MOVQ AX, v+0(FP)
	MOVB $1, ok+8(FP)
	RET

TEXT ·Read32(SB), NOSPLIT, $0-12
	MOVQ addr+0(FP), AX
	MOVL (AX), AX
	MOVL AX, ret+8(FP)
	RET

TEXT ·Write32(SB), NOSPLIT, $0-12
	MOVQ addr+0(FP), AX
	MOVL v+8(FP), CX
	MOVL CX, (AX)
	RET
