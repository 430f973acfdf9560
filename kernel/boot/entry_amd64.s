#include "textflag.h"
#include "go_asm.h"

// entry is the kernel's ELF entry point on every core: 64-bit mode, interrupts
// off, no stack. First core: DI = PVH start info, SI = abi.BootHeader, both
// physical. Others: DI = the address of the core's KCB, SI = 0, DX = the
// physical address of its page tables.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	CLI
	CLD
	TESTQ SI, SI
	JNZ  first
	MOVQ DX, CR3
first:
	LEAQ ·startStack(SB), SP
	ADDQ $const_startStackSize, SP
	MOVQ DI, R12
	MOVQ SI, R13
	LEAQ skerry∕kernel∕amd64·freeTLS+8(SB), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $0xc0000100, CX // IA32_FS_BASE
	WRMSR
	SUBQ $16, SP
	MOVQ R12, 0(SP)
	MOVQ R13, 8(SP)
	CALL ·early(SB)

	// The stack that Linux would give: argc, argv, 0, envp, 0, auxv.
	LEAQ ·startStack(SB), SP
	ADDQ $const_startStackSize, SP
	SUBQ $128, SP
	MOVQ $1, 0(SP)
	LEAQ ·argv0(SB), AX
	MOVQ AX, 8(SP)
	MOVQ $0, 16(SP)
	LEAQ ·godebug(SB), AX
	MOVQ AX, 24(SP)
	LEAQ ·gomaxprocs(SB), AX
	MOVQ AX, 32(SP)
	MOVQ $0, 40(SP)
	MOVQ $6, 48(SP) // AT_PAGESZ
	MOVQ $4096, 56(SP)
	MOVQ $25, 64(SP) // AT_RANDOM
	LEAQ ·seed(SB), AX
	MOVQ AX, 72(SP)
	MOVQ $0, 80(SP)
	MOVQ $0, 88(SP)
	LEAQ skerry∕kernel∕carry·clock(SB), AX
	MOVQ AX, runtime·vdsoClockgettimeSym(SB)
	JMP  _rt0_amd64_linux(SB)

DATA ·argv0+0(SB)/8, $"kernel\x00\x00"
GLOBL ·argv0(SB), RODATA|NOPTR, $8
DATA ·gomaxprocs+0(SB)/8, $"GOMAXPRO"
DATA ·gomaxprocs+8(SB)/8, $"CS=1\x00\x00\x00\x00"
GLOBL ·gomaxprocs(SB), RODATA|NOPTR, $16
DATA ·godebug+0(SB)/8, $"GODEBUG="
DATA ·godebug+8(SB)/8, $"asyncpre"
DATA ·godebug+16(SB)/8, $"emptoff="
DATA ·godebug+24(SB)/8, $"1,update"
DATA ·godebug+32(SB)/8, $"maxprocs"
DATA ·godebug+40(SB)/8, $"=0,conta"
DATA ·godebug+48(SB)/8, $"inermaxp"
DATA ·godebug+56(SB)/8, $"rocs=0,d"
DATA ·godebug+64(SB)/8, $"ecoratem"
DATA ·godebug+72(SB)/8, $"appings="
DATA ·godebug+80(SB)/8, $"0\x00\x00\x00\x00\x00\x00\x00"
GLOBL ·godebug(SB), RODATA|NOPTR, $88

TEXT ·entryAddress(SB), NOSPLIT, $0-8
	LEAQ ·entry(SB), AX
	MOVQ AX, ret+0(FP)
	RET
