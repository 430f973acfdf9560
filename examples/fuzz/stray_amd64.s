#include "textflag.h"

// func strayAddress() uint64
TEXT ·strayAddress(SB), NOSPLIT, $0-8
	LEAQ	·stray(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// stray calls abi.CallNop some times, then abi.CallInvoke with whatever the
// registers hold, then abi.CallExit. It touches no memory.
TEXT ·stray(SB), NOSPLIT|NOFRAME, $0
	MOVQ	$200, BX
again:
	MOVQ	$0x8000000000000000, AX
	SYSCALL
	DECQ	BX
	JNZ	again
	MOVQ	$0x8000000000000001, AX
	MOVQ	$0x500000101, DI
	SYSCALL
	MOVQ	$0x8000000000000007, AX
	MOVQ	$1, DI
	XORL	SI, SI
	SYSCALL
	UD2
