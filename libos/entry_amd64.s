#include "textflag.h"
#include "go_asm.h"

// GS base holds the address of the dispatcher page whenever the domain runs;
// fields of it are named by their offsets (dispatcher.go).

// The fake g, the TLS slot that names it, the stack of the libos, and what its
// own page faults are handled with: a stack, and room for the vector state at
// an address that XSAVE takes.
GLOBL ·fakeG(SB), NOPTR, $const_gSize
DATA ·tls+0(SB)/8, $·fakeG(SB)
GLOBL ·tls(SB), NOPTR, $16
GLOBL ·stack(SB), NOPTR, $const_stackSize
GLOBL ·nestedStack(SB), NOPTR, $const_nestedStackSize
GLOBL ·nestedVector(SB), NOPTR, $const_nestedVectorSize

// STATE is what Go code needs beside a stack: the libos's g, and no frame above.
#define STATE \
	MOVQ const_atTLS(GS), AX; \
	WRFSBASEQ AX; \
	XORL BP, BP

// ENTER makes Go code callable on the libos's stack.
#define ENTER \
	CLD; \
	MOVQ const_atStack(GS), SP; \
	STATE

// LOAD loads all registers but AX, BX, CX, R11 and SP from an abi.Registers.
#define LOAD(r) \
	MOVQ registers_RDX(r), DX; \
	MOVQ registers_RSI(r), SI; \
	MOVQ registers_RDI(r), DI; \
	MOVQ registers_RBP(r), BP; \
	MOVQ registers_R8(r), R8; \
	MOVQ registers_R9(r), R9; \
	MOVQ registers_R10(r), R10; \
	MOVQ registers_R12(r), R12; \
	MOVQ registers_R13(r), R13; \
	MOVQ registers_R14(r), R14; \
	MOVQ registers_R15(r), R15

// entry is where the CPU driver starts the domain: disabled, GS base set, no
// stack.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	LEAQ ·stack+const_stackSize(SB), AX
	MOVQ AX, const_atStack(GS)
	LEAQ ·tls+8(SB), AX
	MOVQ AX, const_atTLS(GS)
	ENTER
	CALL ·start(SB)
	JMP  ·resume(SB)

// SAVE stores the registers of the current thread, which makes a Linux call, in
// its carrier.Thread, and makes Go code callable on the libos's stack.
#define SAVE \
	MOVQ const_atCurrent(GS), CX; \
	MOVQ AX, registers_RAX(CX); \
	MOVQ BX, registers_RBX(CX); \
	MOVQ DX, registers_RDX(CX); \
	MOVQ SI, registers_RSI(CX); \
	MOVQ DI, registers_RDI(CX); \
	MOVQ BP, registers_RBP(CX); \
	MOVQ SP, registers_RSP(CX); \
	MOVQ R8, registers_R8(CX); \
	MOVQ R9, registers_R9(CX); \
	MOVQ R10, registers_R10(CX); \
	MOVQ R12, registers_R12(CX); \
	MOVQ R13, registers_R13(CX); \
	MOVQ R14, registers_R14(CX); \
	MOVQ R15, registers_R15(CX); \
	RDFSBASEQ AX; \
	MOVQ AX, registers_FSBase(CX); \
	MOVQ const_atLinuxReturn(GS), AX; \
	MOVQ AX, registers_RIP(CX); \
	MOVQ const_atLinuxFlags(GS), AX; \
	MOVQ AX, registers_RFLAGS(CX); \
	MOVB $0, const_threadResume(CX); \
	MOVQ const_atStack(GS), SP; \
	STATE

// linuxEntry is the upcall for a reflected Linux call: all registers are the
// thread's, but RCX and R11, which SYSCALL has overwritten.
TEXT ·linuxEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	SAVE
	CALL ·linuxUpcall(SB)
	JMP  ·resume(SB)

// spanLinuxEntry is the same in a domain with several dispatchers.
TEXT ·spanLinuxEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	SAVE
	CALL ·spanLinuxUpcall(SB)
	JMP  ·resume(SB)

// runEntry is the run upcall; RSI says whether a thread was preempted.
TEXT ·runEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	SUBQ $8, SP
	MOVQ SI, 0(SP)
	CALL ·runUpcall(SB)
	JMP  ·resume(SB)

// pageFaultEntry is the page-fault upcall.
TEXT ·pageFaultEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	CALL ·pageFaultUpcall(SB)
	JMP  ·resume(SB)

// trapEntry is the upcall for all other exceptions.
TEXT ·trapEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	CALL ·trapUpcall(SB)
	JMP  ·resume(SB)

// NESTED_VECTOR makes BX, AX and DX what XSAVE and XRSTOR need for the vector
// state of libos code.
#define NESTED_VECTOR \
	LEAQ ·nestedVector+(const_vectorAlign-1)(SB), BX; \
	ANDQ $~(const_vectorAlign-1), BX; \
	MOVL const_atVectorMask(GS), AX; \
	MOVL const_atVectorMaskHigh(GS), DX

// nestedFaultEntry is the upcall for a page fault of the libos's own, in its
// heap. It may come wherever the libos touches that, this file included, so it
// leaves nothing changed: not the libos's stack, nor FS base, nor the vector
// registers. Nothing from the clearing of Nested on can fault; the dispatcher
// stays disabled.
TEXT ·nestedFaultEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	CLD
	LEAQ ·nestedStack+const_nestedStackSize(SB), SP
	NESTED_VECTOR
	XSAVE64 (BX)
	STATE
	CALL ·nestedFaultUpcall(SB)
	NESTED_VECTOR
	XRSTOR64 (BX)
	MOVQ $0, const_atNested(GS)
	MOVQ const_atSelf(GS), SP
	LEAQ const_atNestedState(SP), BX
	ADDQ $const_atNestedFlags, SP
	MOVQ registers_FSBase(BX), AX
	WRFSBASEQ AX
	MOVQ registers_RAX(BX), AX
	MOVQ registers_RCX(BX), CX
	MOVQ registers_R11(BX), R11
	LOAD(BX)
	MOVQ registers_RBX(BX), BX
	POPFQ // not IRETQ: see leave
	MOVQ const_atNestedRSP(GS), SP
	JMP  const_atNestedRIP(GS)

// yieldEntry is where vdsoYield lets the libos decide, pollEntry where it found
// that there is work; the current thread's state is saved in either case.
TEXT ·yieldEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	CALL ·yieldUpcall(SB)
	JMP  ·resume(SB)

TEXT ·pollEntry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	CALL ·poll(SB)
	JMP  ·resume(SB)

// resume continues the current thread. If the dispatcher's full word is 0 the
// thread is in a Linux call and its registers are in its carrier.Thread;
// otherwise the word is the address of its registers, and the vector word that
// of its vector state, if it must be loaded.
//
// A notification may come in until the dispatcher is enabled: after that, the
// CPU driver makes an upcall of it. So resume looks for one once more when it
// has enabled the dispatcher, and if there is one, disables it and starts over.
TEXT ·resume(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
start:
	MOVQ const_atFull(GS), BX
	TESTQ BX, BX
	JNE  full
	MOVQ const_atCurrent(GS), CX
	MOVQ registers_FSBase(CX), AX
	WRFSBASEQ AX
	MOVQ registers_RAX(CX), AX
	MOVQ registers_RBX(CX), BX
	LOAD(CX)
	MOVQ registers_RSP(CX), SP
	MOVQ registers_RFLAGS(CX), R11
	MOVQ registers_RIP(CX), CX
	// From here on the registers are a thread's that may be preempted and
	// resumed anywhere: its next instruction happens to be this one.
	MOVL $0, const_atDisabled(GS)
	CMPL const_atHasWork(GS), $0
	JNE  again
	JMP  CX

again:
	MOVL $1, const_atDisabled(GS)
	// The saved registers still hold, but for RIP if the thread has been
	// preempted just now.
	MOVQ const_atCurrent(GS), R11
	MOVQ CX, registers_RIP(R11)
	MOVB $0, const_threadResume(R11)
	ENTER
	CALL ·poll(SB)
	JMP  start

full:
	MOVQ const_atVector(GS), CX
	TESTQ CX, CX
	JEQ  integers
	MOVL const_atVectorMask(GS), AX
	MOVL const_atVectorMaskHigh(GS), DX
	XRSTOR64 (CX)

integers:
	MOVQ BX, const_atResumed(GS)
	MOVQ $0, const_atFull(GS)
	MOVQ registers_RIP(BX), AX
	MOVQ AX, const_atFrameRIP(GS)
	MOVQ registers_RFLAGS(BX), AX
	MOVQ AX, const_atFrameFlags(GS)
	MOVQ registers_RSP(BX), AX
	MOVQ AX, const_atFrameRSP(GS)
	MOVQ registers_FSBase(BX), AX
	WRFSBASEQ AX
	MOVQ const_atSelf(GS), SP
	ADDQ $const_atFrameFlags, SP
	MOVQ registers_RAX(BX), AX
	MOVQ registers_RCX(BX), CX
	MOVQ registers_R11(BX), R11
	LOAD(BX)
	MOVQ registers_RBX(BX), BX
	JMP  ·leave(SB)

// leave enables the dispatcher and lets the thread go on from the frame in the
// dispatcher page, at whose flags the stack pointer is. A thread preempted here
// has its RIP, RSP and flags still in that frame: unwind knows. (IRETQ would do
// the same at once, but QEMU up to 7.2 refuses it in ring 3 while SMAP is on.)
TEXT ·leave(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVL $0, const_atDisabled(GS)
	CMPL const_atHasWork(GS), $0
	JNE  again
	POPFQ
	MOVQ const_atFrameRSP(GS), SP
	JMP  const_atFrameRIP(GS)

again:
	MOVL $1, const_atDisabled(GS)
	JMP  ·leaveEnd(SB)

// leaveEnd starts over what leave has begun.
TEXT ·leaveEnd(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	ENTER
	MOVQ const_atResumed(GS), AX
	MOVQ AX, const_atFull(GS)
	CALL ·poll(SB)
	// By its address: the linker takes a direct jump for a call, and would see
	// endless recursion.
	LEAQ ·resume(SB), AX
	JMP  AX

// func entryPoints(e *abi.Entries)
TEXT ·entryPoints(SB), NOSPLIT, $0-8
	MOVQ e+0(FP), BX
	LEAQ ·runEntry(SB), AX
	MOVQ AX, entries_Run(BX)
	LEAQ ·pageFaultEntry(SB), AX
	MOVQ AX, entries_PageFault(BX)
	LEAQ ·trapEntry(SB), AX
	MOVQ AX, entries_Trap(BX)
	LEAQ ·nestedFaultEntry(SB), AX
	MOVQ AX, entries_NestedFault(BX)
	LEAQ ·linuxEntry(SB), AX
	MOVQ AX, entries_Linux(BX)
	MOVQ $0, entries_CriticalLow(BX)
	MOVQ $0, entries_CriticalHigh(BX)
	LEAQ ·probe(SB), AX
	MOVQ AX, entries_ProbeLow(BX)
	LEAQ ·probeFail(SB), AX
	MOVQ AX, entries_ProbeHigh(BX)
	MOVQ AX, entries_ProbeFail(BX)
	RET

// probe tries memory of the program, for probeCopy and probeLoad. Where that is
// not there the CPU driver goes on at probeFail, which stands behind it, with all
// registers as they were. AX is 0 for a copy, 1 for the word at DX.
TEXT ·probe(SB), NOSPLIT|NOFRAME, $0
	TESTL AX, AX
	JNE   word
	REP; MOVSB
	MOVL $1, AX
	RET

word:
	MOVL (DX), CX
	RET

TEXT ·probeFail(SB), NOSPLIT|NOFRAME, $0
	XORL AX, AX
	RET

// func probeCopy(to, from, n uint64) bool
TEXT ·probeCopy(SB), NOSPLIT, $0-25
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ n+16(FP), CX
	XORL AX, AX
	CALL ·probe(SB)
	MOVB AX, ret+24(FP)
	RET

// func probeLoad(address uint64) (value uint32, ok bool)
TEXT ·probeLoad(SB), NOSPLIT, $0-13
	MOVQ address+0(FP), DX
	MOVL $1, AX
	CALL ·probe(SB)
	MOVL CX, value+8(FP)
	MOVB AX, ok+12(FP)
	RET

// func spanEntry() uint64
TEXT ·spanEntry(SB), NOSPLIT, $0-8
	LEAQ ·spanLinuxEntry(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func leaveRange() (low, high uint64)
TEXT ·leaveRange(SB), NOSPLIT, $0-16
	LEAQ ·leave(SB), AX
	MOVQ AX, low+0(FP)
	LEAQ ·leaveEnd(SB), AX
	MOVQ AX, high+8(FP)
	RET

// func native(number, a, b uint64) abi.Error
TEXT ·native(SB), NOSPLIT, $0-28
	MOVQ number+0(FP), AX
	BTSQ $63, AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	SYSCALL
	MOVL AX, ret+24(FP)
	RET

// func invoke(word, a, b, c, d, e uint64) (value uint64, err capability.Error)
TEXT ·invoke(SB), NOSPLIT, $0-60
	MOVQ word+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ c+24(FP), R10
	MOVQ d+32(FP), R8
	MOVQ e+40(FP), R9
	MOVQ $const_callInvoke, AX
	BTSQ $63, AX
	SYSCALL
	MOVQ DX, value+48(FP)
	MOVL AX, err+56(FP)
	RET

// func readTSC() uint64
TEXT ·readTSC(SB), NOSPLIT, $0-8
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET
