#include "textflag.h"

// func self() uintptr
TEXT ·self(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func call(function uintptr) uintptr
TEXT ·call(SB), NOSPLIT, $0-16
	MOVQ function+0(FP), AX
	CALL AX
	MOVQ AX, ret+8(FP)
	RET
