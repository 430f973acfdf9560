#include "textflag.h"

// func flagsAfter(set uint64) uint64
TEXT ·flagsAfter(SB), NOSPLIT, $0-16
	MOVQ set+0(FP), CX
	PUSHFQ
	POPQ BX
	MOVQ BX, DX
	ANDQ $~0x3200, DX
	ORQ  CX, DX
	PUSHQ DX
	POPFQ
	NOP
	PUSHFQ
	POPQ AX
	PUSHQ BX
	POPFQ
	MOVQ AX, ret+8(FP)
	RET

// func callWithFlags(set uint64, number uint64) uint64
TEXT ·callWithFlags(SB), NOSPLIT, $16-24
	MOVQ number+8(FP), AX
	MOVQ set+0(FP), CX
	PUSHFQ
	POPQ BX
	MOVQ BX, DX
	ORQ  CX, DX

	XORL SI, SI
	XORL R10, R10
	XORL R8, R8
	PUSHQ DX
	POPFQ
	XORPS X0, X0
	MOVQ 1(SP), DX
	MOVQ $-1, DI
	SYSCALL
	PUSHQ BX
	POPFQ
	MOVQ AX, ret+16(FP)
	RET

// func faultWithFlags(set uint64)
TEXT ·faultWithFlags(SB), NOSPLIT, $0-8
	MOVQ set+0(FP), CX
	PUSHFQ
	POPQ BX
	ORQ  CX, BX
	PUSHQ BX
	POPFQ
	MOVL $8, AX
	MOVQ (AX), AX
	RET

// func callWithStack(rsp uintptr, number uint64)
TEXT ·callWithStack(SB), NOSPLIT, $0-16
	MOVQ rsp+0(FP), CX
	MOVQ number+8(FP), AX
	MOVQ SP, BX
	MOVQ CX, SP
	MOVQ $-1, DI
	SYSCALL
	MOVQ BX, SP
	RET

// func spinWithStack(rsp uintptr, count uint64)
TEXT ·spinWithStack(SB), NOSPLIT, $0-16
	MOVQ rsp+0(FP), AX
	MOVQ count+8(FP), CX
	MOVQ SP, BX
	MOVQ AX, SP
again:
	DECQ CX
	JNZ  again
	MOVQ BX, SP
	RET

// func faultWithStack(rsp uintptr)
TEXT ·faultWithStack(SB), NOSPLIT, $0-8
	MOVQ rsp+0(FP), AX
	MOVQ SP, BX
	MOVQ AX, SP
	MOVL $8, AX
	MOVQ (AX), AX
	MOVQ BX, SP
	RET

// func trapWithStack(rsp uintptr)
TEXT ·trapWithStack(SB), NOSPLIT, $0-8
	MOVQ rsp+0(FP), AX
	MOVQ SP, BX
	MOVQ AX, SP
	UD2
	MOVQ BX, SP
	RET

// func callWithGS(base uintptr, number uint64)
TEXT ·callWithGS(SB), NOSPLIT, $0-16
	MOVQ base+0(FP), CX
	MOVQ number+8(FP), AX
	WRGSBASEQ CX
	MOVQ $-1, DI
	SYSCALL
	RET

// func spinWithGS(base uintptr, count uint64)
TEXT ·spinWithGS(SB), NOSPLIT, $0-16
	MOVQ base+0(FP), AX
	MOVQ count+8(FP), CX
	WRGSBASEQ AX
again:
	DECQ CX
	JNZ  again
	RET

// func faultWithGS(base uintptr)
TEXT ·faultWithGS(SB), NOSPLIT, $0-8
	MOVQ base+0(FP), AX
	WRGSBASEQ AX
	MOVL $8, AX
	MOVQ (AX), AX
	RET

// func callWithNullGS(number uint64) uint64
TEXT ·callWithNullGS(SB), NOSPLIT, $0-16
	MOVQ number+0(FP), AX
	XORL CX, CX
	MOVW CX, GS
	MOVQ $-1, DI
	SYSCALL
	MOVQ AX, ret+8(FP)
	RET

// func callWithFS(base uintptr, number uint64)
TEXT ·callWithFS(SB), NOSPLIT, $0-16
	MOVQ base+0(FP), CX
	MOVQ number+8(FP), AX
	RDFSBASEQ BX
	WRFSBASEQ CX
	MOVQ $-1, DI
	SYSCALL
	WRFSBASEQ BX
	RET

// func faultWithFS(base uintptr)
TEXT ·faultWithFS(SB), NOSPLIT, $0-8
	MOVQ base+0(FP), CX
	WRFSBASEQ CX
	MOVL $8, AX
	MOVQ (AX), AX
	RET

// QEMU 7.2 (TCG) makes the stack accesses of IRETQ and RETFQ in ring 3 as the
// supervisor: while CR4.SMAP is set they fault, with an error code that says
// supervisor though CS says user. Linux 6.1 takes that for a fault of its own and
// stops. A kernel must go by CS; a libos cannot resume a thread by IRETQ then.
//
// A call and an undefined instruction: the same in 64-bit and in 32-bit mode.
TEXT segment<>(SB), NOSPLIT|NOFRAME, $0-0
	SYSCALL
	UD2

// func enterSegment(selector uintptr)
TEXT ·enterSegment(SB), NOSPLIT, $16-8
	MOVQ selector+0(FP), CX
	LEAQ segment<>(SB), AX
	MOVQ AX, frame-16(SP)
	MOVQ CX, frame-8(SP)
	MOVL $39, AX
	XORL BX, BX
	LEAQ frame-16(SP), SP
	RETFQ
	RET

// func sysenter()
TEXT ·sysenter(SB), NOSPLIT, $0-0
	MOVL $20, AX
	BYTE $0x0f; BYTE $0x34
	RET

// An XSAVE area whose header has every bit set.
GLOBL badState<>(SB), NOPTR, $4096

// func loadBadVectorState()
TEXT ·loadBadVectorState(SB), NOSPLIT, $0-0
	LEAQ badState<>+63(SB), DI
	ANDQ $~63, DI
	MOVQ $-1, 512(DI)
	MOVQ $-1, 520(DI)
	MOVL $-1, AX
	MOVL $-1, DX
	XRSTOR (DI)
	RET

// func sigreturn(frame uintptr)
TEXT ·sigreturn(SB), NOSPLIT, $0-8
	MOVQ frame+0(FP), SP
	MOVL $15, AX
	SYSCALL
	UD2
