#include "textflag.h"

// LOAD and STORE move the state at R14, which is not part of it, but must survive
// as well; LOAD_VECTOR and STORE_VECTOR move its vector registers.
#define LOAD \
	MOVQ 0(R14), BX; \
	MOVQ 8(R14), DX; \
	MOVQ 16(R14), SI; \
	MOVQ 24(R14), DI; \
	MOVQ 32(R14), R8; \
	MOVQ 40(R14), R9; \
	MOVQ 48(R14), R10; \
	MOVQ 56(R14), R12; \
	MOVQ 64(R14), R13; \
	MOVQ 72(R14), R15

#define STORE \
	MOVQ BX, 0(R14); \
	MOVQ DX, 8(R14); \
	MOVQ SI, 16(R14); \
	MOVQ DI, 24(R14); \
	MOVQ R8, 32(R14); \
	MOVQ R9, 40(R14); \
	MOVQ R10, 48(R14); \
	MOVQ R12, 56(R14); \
	MOVQ R13, 64(R14); \
	MOVQ R15, 72(R14)

#define LOAD_VECTOR \
	MOVUPS (80+16*0)(R14), X0; \
	MOVUPS (80+16*1)(R14), X1; \
	MOVUPS (80+16*2)(R14), X2; \
	MOVUPS (80+16*3)(R14), X3; \
	MOVUPS (80+16*4)(R14), X4; \
	MOVUPS (80+16*5)(R14), X5; \
	MOVUPS (80+16*6)(R14), X6; \
	MOVUPS (80+16*7)(R14), X7; \
	MOVUPS (80+16*8)(R14), X8; \
	MOVUPS (80+16*9)(R14), X9; \
	MOVUPS (80+16*10)(R14), X10; \
	MOVUPS (80+16*11)(R14), X11; \
	MOVUPS (80+16*12)(R14), X12; \
	MOVUPS (80+16*13)(R14), X13; \
	MOVUPS (80+16*14)(R14), X14; \
	MOVUPS (80+16*15)(R14), X15

#define STORE_VECTOR \
	MOVUPS X0, (80+16*0)(R14); \
	MOVUPS X1, (80+16*1)(R14); \
	MOVUPS X2, (80+16*2)(R14); \
	MOVUPS X3, (80+16*3)(R14); \
	MOVUPS X4, (80+16*4)(R14); \
	MOVUPS X5, (80+16*5)(R14); \
	MOVUPS X6, (80+16*6)(R14); \
	MOVUPS X7, (80+16*7)(R14); \
	MOVUPS X8, (80+16*8)(R14); \
	MOVUPS X9, (80+16*9)(R14); \
	MOVUPS X10, (80+16*10)(R14); \
	MOVUPS X11, (80+16*11)(R14); \
	MOVUPS X12, (80+16*12)(R14); \
	MOVUPS X13, (80+16*13)(R14); \
	MOVUPS X14, (80+16*14)(R14); \
	MOVUPS X15, (80+16*15)(R14)

// func call(number uint64, s *state) (result int64)
TEXT ·call(SB), NOSPLIT, $0-24
	MOVQ number+0(FP), AX
	MOVQ s+8(FP), R14
	LOAD
	SYSCALL
	STORE
	MOVQ AX, result+16(FP)
	// Go's own: zero in X15, and g in R14.
	XORPS X15, X15
	MOVQ (TLS), R14
	RET

// func touch(s *state)
TEXT ·touch(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), R14
	LOAD_VECTOR
	LOAD
	MOVB $1, (DI)
	STORE
	STORE_VECTOR
	XORPS X15, X15
	MOVQ (TLS), R14
	RET
