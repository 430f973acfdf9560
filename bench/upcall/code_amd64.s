#include "textflag.h"
#include "go_asm.h"

#define NATIVE(number) \
	MOVL $number, AX; \
	BTSQ $63, AX; \
	SYSCALL

// bare is copied into an address space of its own. It uses no stack and no memory but
// the dispatcher page, at GS, and has no address in it. It is the dispatcher's start and
// all of its upcalls: at the start it has not been asked for anything yet, and of the
// upcalls, that after a preemption alone has RSI 1.
TEXT ·bare(SB), NOSPLIT|NOFRAME, $0
	CMPQ const_atWhat(GS), $0
	JEQ  start
	TESTQ SI, SI
	JNE  preempted
	DECQ const_atCount(GS)
	JEQ  answer
again:
	MOVQ const_atWhat(GS), AX
	CMPQ AX, $const_doYield
	JEQ  yield
	CMPQ AX, $const_doNothing
	JEQ  receive
	MOVL $0, page_Disabled(GS)
	CMPQ AX, $const_doTrap
	JEQ  trap
	CMPQ AX, $const_doSpin
	JEQ  spin
	MOVQ 8, AX // where nothing is mapped
trap:
	BYTE $0x0f; BYTE $0x0b // UD2
spin:
	INCQ const_atCount(GS)
	JMP  spin
preempted:
	CMPQ const_atWhat(GS), $const_doSpin
	JNE  again
	CMPL page_HasWork(GS), $0
	JEQ  again
	JMP  answer // there is a message that ends it
yield:
	XORL DI, DI
	NATIVE(const_callYield)

start:
	LEAQ ·bare(SB), AX
	MOVQ AX, (const_atEntries+entries_Run)(GS)
	MOVQ AX, (const_atEntries+entries_PageFault)(GS)
	MOVQ AX, (const_atEntries+entries_Trap)(GS)
	MOVQ AX, (const_atEntries+entries_NestedFault)(GS)
	MOVQ AX, (const_atEntries+entries_Linux)(GS)
	LEAQ const_atEntries(DI), DI // RDI is the page's address
	NATIVE(const_callSetup)
receive:
	MOVQ $const_receiveAtOwn, DI
	JMP  message
answer:
	MOVQ $const_answerReference, DI
message:
	MOVL $0, page_HasWork(GS)
	MOVQ const_atCount(GS), SI
	MOVQ $const_waitForever, BP
	NATIVE(const_callMessage|1<<8)
	TESTQ AX, AX
	JNE  receive
	MOVQ SI, const_atWhat(GS)
	MOVQ DX, const_atCount(GS)
	JMP  again

TEXT ·bareEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// func code() (start, end uintptr)
TEXT ·code(SB), NOSPLIT, $0-16
	LEAQ ·bare(SB), AX
	MOVQ AX, start+0(FP)
	LEAQ ·bareEnd(SB), AX
	MOVQ AX, end+8(FP)
	RET
