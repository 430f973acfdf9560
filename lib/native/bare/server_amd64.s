#include "textflag.h"
#include "go_asm.h"

// server is copied into an address space of its own: it uses no stack and no memory
// but the dispatcher page, at GS, and has no address in it.
TEXT ·server(SB), NOSPLIT|NOFRAME, $0
	JMP  receive

came: // BP says what, SI is the first word
	CMPQ SI, $-1 // ServerExit
	JEQ  exit
	TESTL SI, SI
	JZ   receive
	MOVL BP, AX
	ANDL $0xff, AX
	SHLL $8, AX
	ORL  $const_callMessage, AX
	MOVQ SI, CX
	SHRQ $32, CX
	SHLQ $32, CX
	ORQ  CX, AX
	BTSQ $63, AX // abi.NativeCall
	MOVQ $const_answerReference, DI
	MOVQ $const_waitForever, BP
	SYSCALL
	TESTQ AX, AX
	JZ   came
	// An answer that its peer does not take is lost. Who has no upcalls clears by
	// itself the mark that it was notified.
	MOVL $0, dispatcherPage_HasWork(GS)

receive:
	MOVQ $const_receiveAtOwn, DI
	MOVL $const_callMessage, AX
	BTSQ $63, AX
	MOVQ $const_waitForever, BP
	SYSCALL
	TESTQ AX, AX
	JZ   came
	MOVL $0, dispatcherPage_HasWork(GS)
	CMPL AX, $const_errInterrupted
	JEQ  receive

exit:
	MOVL $const_callExit, AX
	BTSQ $63, AX
	MOVL $const_exitCode, DI
	XORL SI, SI
	SYSCALL
	INT  $3

// The end of server.
TEXT ·serverEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// func serverCode() (start, end uintptr)
TEXT ·serverCode(SB), NOSPLIT, $0-16
	LEAQ ·server(SB), AX
	MOVQ AX, start+0(FP)
	LEAQ ·serverEnd(SB), AX
	MOVQ AX, end+8(FP)
	RET
