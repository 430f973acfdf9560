#include "textflag.h"

// func load(address uintptr) uint64
TEXT ·load(SB), NOSPLIT, $0-16
	MOVQ address+0(FP), AX
	MOVQ (AX), AX
	MOVQ AX, ret+8(FP)
	RET

// func store(address uintptr, value uint64)
TEXT ·store(SB), NOSPLIT, $0-16
	MOVQ address+0(FP), AX
	MOVQ value+8(FP), CX
	MOVQ CX, (AX)
	RET

// func call(address uintptr)
TEXT ·call(SB), NOSPLIT, $8-8
	MOVQ address+0(FP), AX
	CALL AX
	RET

// func callStack()
TEXT ·callStack(SB), NOSPLIT, $16-0
	MOVQ $0xc3, buffer-8(SP)
	LEAQ buffer-8(SP), AX
	CALL AX
	RET

// func codeAddress() uintptr
TEXT ·codeAddress(SB), NOSPLIT, $0-8
	LEAQ ·load(SB), AX
	MOVQ AX, ret+0(FP)
	RET
