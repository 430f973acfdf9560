#include "textflag.h"

// func turns(function uintptr, n int)
TEXT ·turns(SB), NOSPLIT, $8-16
	MOVQ n+8(FP), AX
	MOVQ AX, left-8(SP)
loop:
	MOVQ function+0(FP), AX
	CALL AX
	DECQ left-8(SP)
	JNE  loop
	RET
