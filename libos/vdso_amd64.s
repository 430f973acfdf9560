#include "textflag.h"
#include "go_asm.h"

// The functions of the vDSO. They run in the program, enabled, with the C
// calling convention, on a stack that may be small.

// MONOTONIC puts nanoseconds since boot into AX; it uses DX.
#define MONOTONIC \
	LFENCE; \
	RDTSC; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	SUBQ const_atClockBase(GS), AX; \
	MULQ const_atClockMul(GS); \
	SHRQ $32, AX; \
	SHLQ $32, DX; \
	ORQ  DX, AX

// SECONDS divides nanoseconds in AX: DX becomes seconds, R9 the rest. The
// multiplication by 2^84/(1e9/2^9) is exact for 64 bits.
#define SECONDS \
	MOVQ AX, R9; \
	SHRQ $9, AX; \
	MOVQ $0x44b82fa09b5a53, R8; \
	MULQ R8; \
	SHRQ $11, DX; \
	MOVQ DX, AX; \
	IMULQ $1000000000, AX; \
	SUBQ AX, R9

// int vdsoClockGettime(clockid_t DI, struct timespec *SI)
TEXT ·vdsoClockGettime(SB), NOSPLIT|NOFRAME, $0
	CMPL DI, $7
	JHI  call
	MOVL $0xf3, AX // realtime 0, monotonic 1, raw 4, coarse 5 and 6, boottime 7
	BTL  DI, AX
	JCC  call
	MONOTONIC
	MOVL $0x21, R8 // realtime 0 and 5
	BTL  DI, R8
	JCC  split
	ADDQ const_atClockReal(GS), AX
split:
	SECONDS
	MOVQ DX, 0(SI)
	MOVQ R9, 8(SI)
	XORL AX, AX
	RET
call:
	MOVL $const_sysClockGettime, AX
	SYSCALL
	RET

// int vdsoGettimeofday(struct timeval *DI, struct timezone *SI)
TEXT ·vdsoGettimeofday(SB), NOSPLIT|NOFRAME, $0
	TESTQ DI, DI
	JEQ  zone
	MONOTONIC
	ADDQ const_atClockReal(GS), AX
	SECONDS
	MOVQ DX, 0(DI)
	IMULQ $274877907, R9 // 2^38/1000
	SHRQ $38, R9
	MOVQ R9, 8(DI)
zone:
	TESTQ SI, SI
	JEQ  done
	MOVQ $0, 0(SI)
done:
	XORL AX, AX
	RET

// time_t vdsoTime(time_t *DI)
TEXT ·vdsoTime(SB), NOSPLIT|NOFRAME, $0
	MONOTONIC
	ADDQ const_atClockReal(GS), AX
	SECONDS
	TESTQ DI, DI
	JEQ  done
	MOVQ DX, 0(DI)
done:
	MOVQ DX, AX
	RET

// func vdsoFunctions() (clockGettime, gettimeofday, time, yield uint64)
TEXT ·vdsoFunctions(SB), NOSPLIT, $0-32
	LEAQ ·vdsoClockGettime(SB), AX
	MOVQ AX, clockGettime+0(FP)
	LEAQ ·vdsoGettimeofday(SB), AX
	MOVQ AX, gettimeofday+8(FP)
	LEAQ ·vdsoTime(SB), AX
	MOVQ AX, time+16(FP)
	LEAQ ·vdsoYield(SB), AX
	MOVQ AX, yield+24(FP)
	RET
