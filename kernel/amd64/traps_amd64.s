#include "textflag.h"
#include "go_asm.h"

// Instructions the assembler lacks or encodes otherwise.
#define SYSRETQ BYTE $0x48; BYTE $0x0f; BYTE $0x07 // SYSRET is the 32-bit form

// USER_CS and USER_SS are selUserCode and selUserData.
#define USER_CS $0x23
#define USER_SS $0x1b
#define KERNEL_CS $0x08
#define KERNEL_SS $0x10

// Exceptions that push an error code: 8, 10-14, 17, 21, 29, 30.
#define HAS_CODE $0x60227d00

#define STUB CALL ·trap(SB); BYTE $0x90; BYTE $0x90; BYTE $0x90
#define STUB4 STUB; STUB; STUB; STUB
#define STUB16 STUB4; STUB4; STUB4; STUB4
#define STUB64 STUB16; STUB16; STUB16; STUB16

// SAVE stores to the abi.Registers at r all registers that no entry path has
// used yet; RAX, RBX, RCX, R11, RSP, RIP, RFLAGS and FSBase are the path's own.
#define SAVE(r) \
	MOVQ DX, registers_RDX(r); \
	MOVQ SI, registers_RSI(r); \
	MOVQ DI, registers_RDI(r); \
	MOVQ BP, registers_RBP(r); \
	MOVQ R8, registers_R8(r); \
	MOVQ R9, registers_R9(r); \
	MOVQ R10, registers_R10(r); \
	MOVQ R12, registers_R12(r); \
	MOVQ R13, registers_R13(r); \
	MOVQ R14, registers_R14(r); \
	MOVQ R15, registers_R15(r)

// SAVE_TRAPPED stores the rest of what a trap interrupted to the abi.Registers
// at BX, and CR2: RAX and RBX were put aside, and the stack holds the frame that
// the processor pushed.
#define SAVE_TRAPPED \
	MOVQ CX, registers_RCX(BX); \
	MOVQ R11, registers_R11(BX); \
	MOVQ ·saveAX(SB), AX; \
	MOVQ AX, registers_RAX(BX); \
	MOVQ ·saveBX(SB), AX; \
	MOVQ AX, registers_RBX(BX); \
	MOVQ 0(SP), AX; \
	MOVQ AX, registers_RIP(BX); \
	MOVQ 16(SP), AX; \
	MOVQ AX, registers_RFLAGS(BX); \
	MOVQ 24(SP), AX; \
	MOVQ AX, registers_RSP(BX); \
	RDFSBASEQ AX; \
	MOVQ AX, registers_FSBase(BX); \
	MOVQ CR2, AX; \
	MOVQ AX, ·trapAddress(SB)

// SAVE_CALLER stores the rest of the caller of a SYSCALL to the abi.Registers
// at R11, whose own contents were put aside.
#define SAVE_CALLER \
	MOVQ AX, registers_RAX(R11); \
	MOVQ BX, registers_RBX(R11); \
	MOVQ CX, registers_RIP(R11); \
	MOVQ CX, registers_RCX(R11); \
	MOVQ SP, registers_RSP(R11); \
	MOVQ ·saveR11(SB), CX; \
	MOVQ CX, registers_RFLAGS(R11); \
	MOVQ CX, registers_R11(R11); \
	RDFSBASEQ CX; \
	MOVQ CX, registers_FSBase(R11)

// OFF notes when an event begins, with interrupts off; ON that it ends, and how
// long it took if that was longest. Both use AX and DX.
#define OFF \
	RDTSC; \
	SHLQ $32, DX; \
	ORQ DX, AX; \
	MOVQ AX, ·eventBegan(SB)

#define ON \
	RDTSC; \
	SHLQ $32, DX; \
	ORQ DX, AX; \
	SUBQ ·eventBegan(SB), AX; \
	CMPQ AX, ·longestEvent(SB); \
	JBE 2(PC); \
	MOVQ AX, ·longestEvent(SB)

// XSAVE_ALL and XRSTOR_ALL move all vector state there is; they use AX and DX.
#define XSAVE_ALL(r) \
	MOVL $-1, AX; \
	MOVL $-1, DX; \
	XSAVE64 (r)

#define XRSTOR_ALL(r) \
	MOVL $-1, AX; \
	MOVL $-1, DX; \
	XRSTOR64 (r)

// LOAD loads what SAVE stores, and RBX, RCX, R11; RAX must be r.
#define LOAD(r) \
	MOVQ registers_RBX(r), BX; \
	MOVQ registers_RCX(r), CX; \
	MOVQ registers_RDX(r), DX; \
	MOVQ registers_RSI(r), SI; \
	MOVQ registers_RDI(r), DI; \
	MOVQ registers_RBP(r), BP; \
	MOVQ registers_R8(r), R8; \
	MOVQ registers_R9(r), R9; \
	MOVQ registers_R10(r), R10; \
	MOVQ registers_R11(r), R11; \
	MOVQ registers_R12(r), R12; \
	MOVQ registers_R13(r), R13; \
	MOVQ registers_R14(r), R14; \
	MOVQ registers_R15(r), R15

// One stub of 8 bytes for each vector: the return address tells which.
TEXT ·vectors(SB), NOSPLIT|NOFRAME, $0
	STUB64
	STUB64
	STUB64
	STUB64

TEXT ·vectorTable(SB), NOSPLIT, $0-8
	LEAQ ·vectors(SB), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·syscallAddress(SB), NOSPLIT, $0-8
	LEAQ ·syscall(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// trap is where every vector arrives, on its interrupt stack: the return
// address into the stubs, the error code if the vector has one, and the
// interrupted RIP, CS, RFLAGS, RSP, SS (SDM 3A 6.14.2).
TEXT ·trap(SB), NOSPLIT|NOFRAME, $0
	MOVQ AX, ·saveAX(SB)
	MOVQ BX, ·saveBX(SB)
	POPQ AX
	LEAQ ·vectors(SB), BX
	SUBQ BX, AX
	SHRQ $3, AX
	MOVQ $0, ·trapCode(SB)
	CMPQ AX, $32
	JAE  known
	MOVL HAS_CODE, BX
	BTL  AX, BX
	JCC  known
	POPQ BX
	MOVQ BX, ·trapCode(SB)
known:
	TESTB $3, 8(SP)
	JZ   kernel
	MOVQ AX, ·trapVector(SB)
	MOVQ ·userRegs(SB), BX
	SAVE(BX)
	SAVE_TRAPPED
	MOVQ ·userVector(SB), BX
	XSAVE_ALL(BX)
	JMP  ·leaveUser(SB)

kernel:
	CMPQ AX, $32
	JB   fault
	BTSQ AX, ·pending(SB)
	MOVQ ·saveAX(SB), AX
	MOVQ ·saveBX(SB), BX
	IRETQ

fault:
	CMPQ AX, $1 // a debug trap that slipped into ring 0 means nothing
	JEQ  ignore
	MOVQ AX, ·trapVector(SB)
	LEAQ ·KernelTrap(SB), BX
	SAVE(BX)
	SAVE_TRAPPED
	MOVQ SP, ·trapFrame(SB)
	MOVQ ·kernelVectorAt(SB), BX
	XSAVE_ALL(BX)
	LEAQ ·freeTLS+8(SB), AX
	WRFSBASEQ AX
	INCQ ·inKernelTrap(SB)
	MOVQ ·kernelTrapEntry(SB), AX
	CALL AX
	DECQ ·inKernelTrap(SB)
	MOVQ ·kernelVectorAt(SB), BX
	XRSTOR_ALL(BX)
	MOVQ ·trapFrame(SB), SP
	LEAQ ·KernelTrap(SB), AX
	MOVQ registers_FSBase(AX), BX
	WRFSBASEQ BX
	MOVQ registers_RIP(AX), BX
	MOVQ BX, 0(SP)
	MOVQ registers_RFLAGS(AX), BX
	MOVQ BX, 16(SP)
	MOVQ registers_RSP(AX), BX
	MOVQ BX, 24(SP)
	LOAD(AX)
	MOVQ registers_RAX(AX), AX
	IRETQ

ignore:
	MOVQ ·saveAX(SB), AX
	MOVQ ·saveBX(SB), BX
	ANDQ $~0x100, 16(SP)
	IRETQ

// leaveUser returns from EnterUser: the user's state is saved, RSP is nobody's.
TEXT ·leaveUser(SB), NOSPLIT|NOFRAME, $0
	OFF
	MOVQ ·kernelFS(SB), AX
	WRFSBASEQ AX
	MOVQ ·kernelSP(SB), SP
	PUSHQ $2
	POPFQ
	LDMXCSR ·mxcsr(SB)
	POPQ BP
	POPQ AX
	JMP  AX

// func EnterUser(full uint64)
TEXT ·EnterUser(SB), NOSPLIT|NOFRAME, $0-8
	ON
	MOVQ full+0(FP), CX
	PUSHQ BP
	MOVQ SP, ·kernelSP(SB)
	RDFSBASEQ AX
	MOVQ AX, ·kernelFS(SB)
	MOVQ ·initialVectorAt(SB), BX
	TESTQ CX, CX
	JZ   load
	MOVQ ·userVector(SB), BX
load:
	XRSTOR_ALL(BX)
	MOVQ ·userRegs(SB), AX
	MOVQ registers_FSBase(AX), BX
	WRFSBASEQ BX
	MOVQ $const_dispatcherBase, BX
	WRGSBASEQ BX
	PUSHQ USER_SS
	PUSHQ registers_RSP(AX)
	PUSHQ registers_RFLAGS(AX)
	PUSHQ USER_CS
	PUSHQ registers_RIP(AX)
	LOAD(AX)
	MOVQ registers_RAX(AX), AX
	IRETQ

// syscall is where SYSCALL arrives, from ring 3 and from the kernel's own Go
// runtime: RCX holds the caller's RIP, R11 its RFLAGS, RSP is the caller's.
TEXT ·syscall(SB), NOSPLIT|NOFRAME, $0
	TESTQ CX, CX
	JS   ring0
	BTQ  $63, AX
	JCS  native
	// A Linux call: send it back up to the libos.
	MOVQ R11, ·saveR11(SB)
	MOVQ ·linuxEntry(SB), R11
	TESTQ R11, R11
	JZ   refuse
	MOVQ ·userPage(SB), R11
	MOVQ CX, dispatcher_LinuxReturn(R11)
	MOVQ ·saveR11(SB), CX
	MOVQ CX, dispatcher_LinuxFlags(R11)
	MOVL $1, dispatcher_Disabled(R11)
	INCQ ·linuxCalls(SB)
	MOVQ ·linuxEntry(SB), CX
	MOVL $0x202, R11
	SYSRETQ

refuse:
	MOVQ ·saveR11(SB), R11
native:
	MOVQ R11, ·saveR11(SB)
	MOVQ ·userRegs(SB), R11
	SAVE(R11)
	SAVE_CALLER
	MOVQ $const_NativeCall, ·trapVector(SB)
	MOVQ $0, ·trapCode(SB)
	JMP  ·leaveUser(SB)

ring0:
	MOVQ R11, ·saveR11(SB)
	MOVQ ·carriedRegs(SB), R11
	SAVE(R11)
	SAVE_CALLER
	LEAQ ·freeTLS+8(SB), CX
	WRFSBASEQ CX
	LEAQ ·callStack(SB), SP
	ADDQ $const_callStackSize, SP
	MOVQ ·kernelCallEntry(SB), AX
	CALL AX
	MOVQ ·carriedRegs(SB), AX
	MOVQ registers_FSBase(AX), BX
	WRFSBASEQ BX
	PUSHQ KERNEL_SS
	PUSHQ registers_RSP(AX)
	PUSHQ registers_RFLAGS(AX)
	PUSHQ KERNEL_CS
	PUSHQ registers_RIP(AX)
	LOAD(AX)
	MOVQ registers_RAX(AX), AX
	IRETQ

// STI holds interrupts off for one more instruction, so none can slip in
// between the caller's last look and HLT.
TEXT ·Idle(SB), NOSPLIT, $0-0
	ON
	STI
	HLT
	CLI
	OFF
	RET

// What waits comes before CLI.
TEXT ·LetIn(SB), NOSPLIT, $0-0
	ON
	STI
	NOP
	CLI
	OFF
	RET

TEXT ·EventBegins(SB), NOSPLIT, $0-0
	OFF
	MOVQ $0, ·longestEvent(SB)
	RET

TEXT ·loadDescriptors(SB), NOSPLIT, $0-0
	LGDT ·gdtr(SB)
	LIDT ·idtr(SB)
	MOVW KERNEL_SS, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS
	XORL AX, AX
	MOVW AX, FS
	MOVW AX, GS
	MOVW $0x28, AX
	LTR  AX
	// Loading FS cleared its base: give it back.
	LEAQ ·freeTLS+8(SB), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $0xc0000100, CX
	WRMSR
	RET

// freeTLS is the thread-local storage under which freestanding Go runs: its
// one word, at FS:-8, is the address of a g whose stack limit is 0.
DATA ·freeTLS+0(SB)/8, $·freeG(SB)
GLOBL ·freeTLS(SB), NOPTR, $16
GLOBL ·freeG(SB), NOPTR, $1024
