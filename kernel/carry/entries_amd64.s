#include "textflag.h"

TEXT ·entries(SB), NOSPLIT, $0-16
	LEAQ ·call(SB), AX
	MOVQ AX, call+0(FP)
	LEAQ ·trap(SB), AX
	MOVQ AX, trap+8(FP)
	RET

TEXT ·setCore(SB), NOSPLIT, $0-8
	MOVQ k+0(FP), AX
	MOVQ AX, ·core(SB)
	RET

// clock is what the runtime calls in place of a vDSO's clock_gettime, with the
// C calling convention: DI = clock, SI = timespec; AX = 0 on return. It may
// use what C's callees may: AX, CX, DX, DI, SI, R8-R11. See time.go.
TEXT ·clock(SB), NOSPLIT|NOFRAME, $0
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	SUBQ ·clockBase(SB), AX
	MULQ ·clockMul(SB)
	SHRQ $32, AX
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, R9
	TESTL DI, DI // CLOCK_REALTIME is 0
	JNZ  split
	ADDQ ·clockReal(SB), R9
split:
	MOVQ R9, AX
	XORL DX, DX
	MOVQ $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET
