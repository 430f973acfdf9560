#include "textflag.h"

// A descriptor-table operand: limit 0, base 0. Loading it would be fatal.
DATA table<>+0(SB)/8, $0
DATA table<>+8(SB)/8, $0
GLOBL table<>(SB), RODATA|NOPTR, $16

// landing is where attempts to enter ring 0 would arrive; BX holds the stack
// pointer to go back to.
TEXT landing<>(SB), NOSPLIT|NOFRAME, $0-0
	LEAQ 64(BX), SP
	BYTE $0x5d // POPQ BP
	RET

// func hlt()
TEXT ·hlt(SB), NOSPLIT, $64-0
	HLT
	RET

// func cli()
TEXT ·cli(SB), NOSPLIT, $64-0
	CLI
	RET

// func sti()
TEXT ·sti(SB), NOSPLIT, $64-0
	STI
	RET

// func rdmsr()
TEXT ·rdmsr(SB), NOSPLIT, $64-0
	MOVL $0xc0000082, CX
	RDMSR
	RET

// func wrmsr()
TEXT ·wrmsr(SB), NOSPLIT, $64-0
	MOVL $0xc0000082, CX
	XORL AX, AX
	XORL DX, DX
	WRMSR
	RET

// func wrmsrKernelGS()
TEXT ·wrmsrKernelGS(SB), NOSPLIT, $64-0
	MOVL $0xc0000102, CX
	XORL AX, AX
	XORL DX, DX
	WRMSR
	RET

// func inb()
TEXT ·inb(SB), NOSPLIT, $64-0
	MOVW $0x64, DX
	INB
	RET

// func outb()
TEXT ·outb(SB), NOSPLIT, $64-0
	MOVW $0x64, DX
	MOVB $0xfe, AX
	OUTB
	RET

// func outConsole()
TEXT ·outConsole(SB), NOSPLIT, $64-0
	MOVW $0x3f8, DX
	MOVB $0x41, AX
	OUTB
	RET

// func insb()
TEXT ·insb(SB), NOSPLIT, $64-0
	MOVW $0x64, DX
	LEAQ scratch-16(SP), DI
	INSB
	RET

// func readCR0()
TEXT ·readCR0(SB), NOSPLIT, $64-0
	MOVQ CR0, AX
	RET

// func readCR3()
TEXT ·readCR3(SB), NOSPLIT, $64-0
	MOVQ CR3, AX
	RET

// func writeCR0()
TEXT ·writeCR0(SB), NOSPLIT, $64-0
	XORL AX, AX
	MOVQ AX, CR0
	RET

// func writeCR3()
TEXT ·writeCR3(SB), NOSPLIT, $64-0
	MOVL $0x1000, AX
	MOVQ AX, CR3
	RET

// func writeCR4()
TEXT ·writeCR4(SB), NOSPLIT, $64-0
	MOVL $0x620, AX
	MOVQ AX, CR4
	RET

// func writeCR8()
TEXT ·writeCR8(SB), NOSPLIT, $64-0
	MOVL $15, AX
	MOVQ AX, CR8
	RET

// func writeDR7()
TEXT ·writeDR7(SB), NOSPLIT, $64-0
	MOVL $0x400, AX
	MOVQ AX, DR7
	RET

// func lgdt()
TEXT ·lgdt(SB), NOSPLIT, $64-0
	LGDT table<>(SB)
	RET

// func lidt()
TEXT ·lidt(SB), NOSPLIT, $64-0
	LIDT table<>(SB)
	RET

// func ltr()
TEXT ·ltr(SB), NOSPLIT, $64-0
	MOVL $0x28, AX
	LTR AX
	RET

// func lldt()
TEXT ·lldt(SB), NOSPLIT, $64-0
	XORL AX, AX
	LLDT AX
	RET

// func lmsw()
TEXT ·lmsw(SB), NOSPLIT, $64-0
	XORL AX, AX
	LMSW AX
	RET

// func clts()
TEXT ·clts(SB), NOSPLIT, $64-0
	CLTS
	RET

// func invlpg()
TEXT ·invlpg(SB), NOSPLIT, $64-0
	MOVQ $0xffffffff80200000, AX
	INVLPG (AX)
	RET

// func invpcid()
TEXT ·invpcid(SB), NOSPLIT, $64-0
	LEAQ table<>(SB), AX
	MOVL $2, CX
	INVPCID (AX), CX
	RET

// func invd()
TEXT ·invd(SB), NOSPLIT, $64-0
	INVD
	RET

// func wbinvd()
TEXT ·wbinvd(SB), NOSPLIT, $64-0
	WBINVD
	RET

// func xsetbv()
TEXT ·xsetbv(SB), NOSPLIT, $64-0
	XORL CX, CX
	XORL DX, DX
	MOVL $1, AX
	XSETBV
	RET

// func rdpmc()
TEXT ·rdpmc(SB), NOSPLIT, $64-0
	XORL CX, CX
	RDPMC
	RET

// func swapgs()
TEXT ·swapgs(SB), NOSPLIT, $64-0
	SWAPGS
	RET

// func sysret()
TEXT ·sysret(SB), NOSPLIT, $64-0
	XORL CX, CX
	MOVL $0x202, R11
	BYTE $0x48
	BYTE $0x0f
	BYTE $0x07
	RET

// func sysexit()
TEXT ·sysexit(SB), NOSPLIT, $64-0
	SYSEXIT
	RET

// func rsm()
TEXT ·rsm(SB), NOSPLIT, $64-0
	RSM
	RET

// func stac()
TEXT ·stac(SB), NOSPLIT, $64-0
	STAC
	RET

// func clac()
TEXT ·clac(SB), NOSPLIT, $64-0
	CLAC
	RET

// func monitor()
TEXT ·monitor(SB), NOSPLIT, $64-0
	LEAQ table<>(SB), AX
	XORL CX, CX
	XORL DX, DX
	MONITOR
	RET

// func mwait()
TEXT ·mwait(SB), NOSPLIT, $64-0
	XORL AX, AX
	XORL CX, CX
	MWAIT
	RET

// func vmcall()
TEXT ·vmcall(SB), NOSPLIT, $64-0
	BYTE $0x0f
	BYTE $0x01
	BYTE $0xc1
	RET

// func vmxon()
TEXT ·vmxon(SB), NOSPLIT, $64-0
	BYTE $0xf3
	BYTE $0x0f
	BYTE $0xc7
	BYTE $0x34
	BYTE $0x24
	RET

// func vmrun()
TEXT ·vmrun(SB), NOSPLIT, $64-0
	BYTE $0x0f
	BYTE $0x01
	BYTE $0xd8
	RET

// func ud2()
TEXT ·ud2(SB), NOSPLIT, $64-0
	UD2
	RET

// func int3()
TEXT ·int3(SB), NOSPLIT, $64-0
	INT $3
	RET

// func iretKernel()
TEXT ·iretKernel(SB), NOSPLIT, $64-0
	LEAQ landing<>(SB), AX
	MOVQ AX, frame-64(SP)
	MOVQ $0x08, frame-56(SP)
	MOVQ $0x202, frame-48(SP)
	MOVQ SP, BX
	MOVQ SP, frame-40(SP)
	MOVQ $0x10, frame-32(SP)
	LEAQ frame-64(SP), SP
	IRETQ
	RET

// func iretKernelText()
TEXT ·iretKernelText(SB), NOSPLIT, $64-0
	MOVQ $0xffffffff80200000, AX
	MOVQ AX, frame-64(SP)
	MOVQ $0x33, frame-56(SP)
	MOVQ $0x3202, frame-48(SP)
	MOVQ SP, BX
	MOVQ SP, frame-40(SP)
	MOVQ $0x2b, frame-32(SP)
	LEAQ frame-64(SP), SP
	IRETQ
	RET

// func retfKernel()
TEXT ·retfKernel(SB), NOSPLIT, $64-0
	MOVQ SP, BX
	LEAQ landing<>(SB), AX
	MOVQ AX, frame-64(SP)
	MOVQ $0x08, frame-56(SP)
	LEAQ frame-64(SP), SP
	RETFQ
	RET

// func loadDS()
TEXT ·loadDS(SB), NOSPLIT, $64-0
	MOVL $0x10, AX
	MOVW AX, DS
	RET

// func loadSS()
TEXT ·loadSS(SB), NOSPLIT, $64-0
	MOVL $0x10, AX
	MOVW AX, SS
	RET

// Four bytes a vector: INT n, RET, and a filler.
#define VECTOR(n) BYTE $0xcd; BYTE $(n); BYTE $0xc3; BYTE $0x90
#define VECTORS4(n) VECTOR(n); VECTOR(n+1); VECTOR(n+2); VECTOR(n+3)
#define VECTORS16(n) VECTORS4(n); VECTORS4(n+4); VECTORS4(n+8); VECTORS4(n+12)
#define VECTORS64(n) VECTORS16(n); VECTORS16(n+16); VECTORS16(n+32); VECTORS16(n+48)

TEXT vectors<>(SB), NOSPLIT|NOFRAME, $0-0
	VECTORS64(0)
	VECTORS64(64)
	VECTORS64(128)
	VECTORS64(192)
	RET

// func interrupt(vector uint8)
TEXT ·interrupt(SB), NOSPLIT, $8-1
	MOVBLZX vector+0(FP), CX
	LEAQ vectors<>(SB), DX
	LEAQ (DX)(CX*4), DX
	MOVL $20, AX
	CALL DX
	RET

// func readDescriptors() uint64
TEXT ·readDescriptors(SB), NOSPLIT, $16-8
	// SGDT stores a limit of two bytes and the address after it.
	LEAQ table-16(SP), AX
	BYTE $0x0f; BYTE $0x01; BYTE $0x00
	MOVQ table-14(SP), AX
	MOVQ AX, ret+0(FP)
	RET

// func sseException()
TEXT ·sseException(SB), NOSPLIT, $8-0
	MOVL $0x1d80, control-8(SP) // all masked but divide by zero
	LDMXCSR control-8(SP)
	MOVL $1, AX
	CVTSL2SD AX, X0
	XORPS X1, X1
	DIVSD X1, X0
	MOVL $0x1f80, control-8(SP)
	LDMXCSR control-8(SP)
	RET

// func x87Exception()
TEXT ·x87Exception(SB), NOSPLIT, $8-0
	MOVW $0x037b, control-8(SP) // all masked but divide by zero
	FLDCW control-8(SP)
	FLD1
	FLDZ
	FDIVDP F0, F1
	WAIT
	MOVW $0x037f, control-8(SP)
	FLDCW control-8(SP)
	RET
