#include "textflag.h"
#include "go_asm.h"

// long vdsoYield(void)
//
// A function of the vDSO, __skerry_yield: it puts its caller behind all threads of
// the same priority that are ready, and returns 0 when it is the caller's turn
// again, or 1 at once if none of that or a higher priority is ready. It keeps RSP,
// RBP and FS base, no other register.
//
// Between two threads that both are in it, and both scheduled as threads are at
// first, it switches without the kernel or any other part of the libos. The
// dispatcher is disabled meanwhile; notifications that come are looked at when it is
// enabled, as in resume.
TEXT ·vdsoYield(SB), NOSPLIT|NOFRAME, $0
	POPQ CX
	MOVL $1, const_atDisabled(GS)
	MOVQ const_atCurrent(GS), AX
	MOVQ CX, registers_RIP(AX)
	MOVQ SP, registers_RSP(AX)
	MOVQ BP, registers_RBP(AX)
	RDFSBASEQ DX
	MOVQ DX, registers_FSBase(AX)
	MOVQ $0, registers_RAX(AX)
	MOVL const_threadManner(AX), R8
	MOVB $const_resumeYield, const_threadManner(AX)
	SHRL $8, R8
	JNE  general

	// The next thread: DX its address, BX its index. None of a higher priority is
	// ready, or it would have run instead of this one.
	MOVL ·threads+const_threadsFirst(SB), BX
	TESTL BX, BX
	JLT  general
	MOVQ ·threads+const_threadsBase(SB), R10
	IMUL3Q $const_threadSize, BX, DX
	ADDQ R10, DX
	CMPL const_threadManner(DX), $const_resumeYield
	JNE  general
	MOVQ const_threadPending(DX), R8
	ORQ  ·signals+const_signalsPending(SB), R8
	JNE  general

	// This one becomes the last that is ready, before the next ceases to be the
	// first: so there is always one.
	MOVL ·threads+const_threadsCurrent(SB), SI
	MOVL ·threads+const_threadsLast(SB), DI
	MOVL BX, ·threads+const_threadsCurrent(SB)
	MOVL SI, ·threads+const_threadsLast(SB)
	MOVL DI, const_threadPrevious(AX)
	MOVL $const_noThread, const_threadNext(AX)
	MOVB $const_stateReady, const_threadState(AX)
	IMUL3Q $const_threadSize, DI, DI
	MOVL SI, const_threadNext(R10)(DI*1)
	MOVL const_threadNext(DX), SI
	MOVL SI, ·threads+const_threadsFirst(SB)
	IMUL3Q $const_threadSize, SI, SI
	MOVL $const_noThread, const_threadPrevious(R10)(SI*1)
	MOVL $const_noThread, const_threadNext(DX)
	MOVB $const_stateRunning, const_threadState(DX)
	MOVQ DX, const_atCurrent(GS)

	MOVQ registers_FSBase(DX), AX
	WRFSBASEQ AX
	MOVQ registers_RBP(DX), BP
	MOVQ registers_RSP(DX), SP
	MOVQ registers_RIP(DX), CX
	XORL AX, AX
	// From here on it is the next thread that may be preempted.
	MOVL $0, const_atDisabled(GS)
	CMPL const_atHasWork(GS), $0
	JNE  again
	JMP  CX

again:
	MOVL $1, const_atDisabled(GS)
	MOVQ const_atCurrent(GS), R11
	MOVQ CX, registers_RIP(R11)
	MOVB $const_resumeYield, const_threadManner(R11)
	JMP  ·pollEntry(SB)

general:
	JMP  ·yieldEntry(SB)
