#include "textflag.h"

// func Call(function uintptr) uintptr
TEXT ·Call(SB), NOSPLIT, $0-16
	MOVQ function+0(FP), AX
	CALL AX
	MOVQ AX, ret+8(FP)
	RET
