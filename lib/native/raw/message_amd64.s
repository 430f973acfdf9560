#include "textflag.h"
#include "go_asm.h"

// func Exchange(m *Message, words *[10]uint64)
//
// An ABI0 function, for which the same holds as for Call; the assembler saves BP,
// since it has a frame.
TEXT ·Exchange(SB), NOSPLIT, $8-16
	MOVQ	words+8(FP), CX
	MOVQ	m+0(FP), AX
	MOVQ	0(CX), SI
	MOVQ	8(CX), DX
	MOVQ	16(CX), R10
	MOVQ	24(CX), R8
	MOVQ	32(CX), R9
	MOVQ	40(CX), BX
	MOVQ	48(CX), R12
	MOVQ	56(CX), R13
	MOVQ	64(CX), R14
	MOVQ	72(CX), R15
	MOVQ	Message_Endpoints(AX), DI
	MOVQ	Message_Deadline(AX), BP
	MOVQ	Message_Call(AX), AX
	SYSCALL
	MOVQ	words+8(FP), CX
	MOVQ	m+0(FP), R11
	MOVQ	SI, 0(CX)
	MOVQ	DX, 8(CX)
	MOVQ	R10, 16(CX)
	MOVQ	R8, 24(CX)
	MOVQ	R9, 32(CX)
	MOVQ	BX, 40(CX)
	MOVQ	R12, 48(CX)
	MOVQ	R13, 56(CX)
	MOVQ	R14, 64(CX)
	MOVQ	R15, 72(CX)
	MOVQ	AX, Message_Call(R11)
	MOVQ	DI, Message_Endpoints(R11)
	MOVQ	BP, Message_Deadline(R11)
	RET
