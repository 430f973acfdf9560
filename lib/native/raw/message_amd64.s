#include "textflag.h"
#include "go_asm.h"

// func Exchange(m *Message)
//
// An ABI0 function, for which the same holds as for Call; the assembler saves BP,
// since it has a frame.
TEXT ·Exchange(SB), NOSPLIT, $8-8
	MOVQ	m+0(FP), AX
	MOVQ	Message_Endpoints(AX), DI
	MOVQ	Message_Deadline(AX), BP
	MOVQ	Message_Words+0(AX), SI
	MOVQ	Message_Words+8(AX), DX
	MOVQ	Message_Words+16(AX), R10
	MOVQ	Message_Words+24(AX), R8
	MOVQ	Message_Words+32(AX), R9
	MOVQ	Message_Words+40(AX), BX
	MOVQ	Message_Words+48(AX), R12
	MOVQ	Message_Words+56(AX), R13
	MOVQ	Message_Words+64(AX), R14
	MOVQ	Message_Words+72(AX), R15
	MOVQ	Message_Call(AX), AX
	SYSCALL
	MOVQ	m+0(FP), CX
	MOVQ	AX, Message_Call(CX)
	MOVQ	DI, Message_Endpoints(CX)
	MOVQ	BP, Message_Deadline(CX)
	MOVQ	SI, Message_Words+0(CX)
	MOVQ	DX, Message_Words+8(CX)
	MOVQ	R10, Message_Words+16(CX)
	MOVQ	R8, Message_Words+24(CX)
	MOVQ	R9, Message_Words+32(CX)
	MOVQ	BX, Message_Words+40(CX)
	MOVQ	R12, Message_Words+48(CX)
	MOVQ	R13, Message_Words+56(CX)
	MOVQ	R14, Message_Words+64(CX)
	MOVQ	R15, Message_Words+72(CX)
	RET
