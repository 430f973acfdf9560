#include "textflag.h"

#define ENTRY(name, callee) \
TEXT name(SB), NOSPLIT|NOFRAME, $0 \
again: \
	LEAQ ·stack(SB), SP \
	ADDQ $4096, SP \
	CALL callee(SB) \
	JMP  again

GLOBL ·stack(SB), NOPTR, $4096

ENTRY(·goodEntry, ·good)
ENTRY(·allocatesEntry, ·allocates)
ENTRY(·growsEntry, ·grows)
ENTRY(·barrierEntry, ·barrier)
ENTRY(·recursesEntry, ·recurses)
ENTRY(·mutualEntry, ·mutual)
ENTRY(·indirectEntry, ·indirect)
ENTRY(·deepEntry, ·deep)
ENTRY(·defersEntry, ·defers)
ENTRY(·mapsEntry, ·maps)
ENTRY(·chansEntry, ·chans)
ENTRY(·printsEntry, ·prints)
ENTRY(·concatEntry, ·concat)
ENTRY(·dispatchEntry, ·dispatch)

// pushesEntry never gives back what it pushes.
TEXT ·pushesEntry(SB), NOSPLIT|NOFRAME, $0
again:
	PUSHQ AX
	JMP  again

// odd has what the decoder does not know, and CALLs through a register.
TEXT ·oddEntry(SB), NOSPLIT|NOFRAME, $0
	STAC
	CLAC
	RDFSBASEQ AX
	WRFSBASEQ AX
	RDRANDQ AX
	XGETBV
	VMOVDQU (AX)(BX*4), Y1
	VPSHUFD $1, Y1, Y2
	VZEROUPPER
	VMOVDQU64 64(AX), Z1
	VPALIGNR $3, 1000(AX), Y1, Y2
	XSAVE64 (BX)
	PUSHQ AX
	PUSHFQ
	CALL ·good(SB)
	SUBQ $-32, SP
	CALL AX
	IRETQ

TEXT ·keep(SB), NOSPLIT, $0
	LEAQ ·goodEntry(SB), AX
	LEAQ ·allocatesEntry(SB), AX
	LEAQ ·growsEntry(SB), AX
	LEAQ ·barrierEntry(SB), AX
	LEAQ ·recursesEntry(SB), AX
	LEAQ ·mutualEntry(SB), AX
	LEAQ ·indirectEntry(SB), AX
	LEAQ ·deepEntry(SB), AX
	LEAQ ·defersEntry(SB), AX
	LEAQ ·mapsEntry(SB), AX
	LEAQ ·chansEntry(SB), AX
	LEAQ ·printsEntry(SB), AX
	LEAQ ·concatEntry(SB), AX
	LEAQ ·dispatchEntry(SB), AX
	LEAQ ·pushesEntry(SB), AX
	LEAQ ·oddEntry(SB), AX
	RET
