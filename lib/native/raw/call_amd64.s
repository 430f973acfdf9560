#include "textflag.h"

// func Call(num, a0, a1, a2, a3, a4, a5 uintptr) (err abi.Error, value uintptr)
//
// An ABI0 function: its caller takes every register for clobbered, and the
// compiler's wrapper sets X15 and R14 again, so it does not matter that the
// call loses the vector registers.
TEXT ·Call(SB), NOSPLIT, $0-72
	MOVQ	num+0(FP), AX
	BTSQ	$63, AX // abi.NativeCall
	MOVQ	a0+8(FP), DI
	MOVQ	a1+16(FP), SI
	MOVQ	a2+24(FP), DX
	MOVQ	a3+32(FP), R10
	MOVQ	a4+40(FP), R8
	MOVQ	a5+48(FP), R9
	SYSCALL
	MOVL	AX, err+56(FP)
	MOVQ	DX, value+64(FP)
	RET
