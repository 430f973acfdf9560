package main

// flagsAfter sets bits of RFLAGS (and the interrupt flag only if it is among
// them) through POPFQ and returns what became of them.
func flagsAfter(set uint64) uint64

// callWithFlags makes a system call, Linux or native, without arguments, with
// bits of RFLAGS set, and an unaligned access; it returns RAX.
func callWithFlags(set uint64, number uint64) uint64

// faultWithFlags reads address 8 with bits of RFLAGS set.
func faultWithFlags(set uint64)

// callWithStack makes a system call with RSP at an address.
func callWithStack(rsp uintptr, number uint64)

// spinWithStack counts down with RSP at an address.
func spinWithStack(rsp uintptr, count uint64)

// faultWithStack reads address 8 with RSP at an address.
func faultWithStack(rsp uintptr)

// trapWithStack executes UD2 with RSP at an address.
func trapWithStack(rsp uintptr)

// callWithGS, spinWithGS and faultWithGS do so with GS base at an address,
// which they leave there.
func callWithGS(base uintptr, number uint64)
func spinWithGS(base uintptr, count uint64)
func faultWithGS(base uintptr)

// callWithNullGS makes a system call after loading a null selector into GS.
func callWithNullGS(number uint64) uint64

// callWithFS makes a system call with FS base at an address.
func callWithFS(base uintptr, number uint64)

// faultWithFS reads address 8 with FS base at an address.
func faultWithFS(base uintptr)

// enterSegment returns far to code that makes system call 39 and then executes
// UD2, through a code segment selector.
func enterSegment(selector uintptr)

// sysenter executes SYSENTER with RAX = 20.
func sysenter()

// loadBadVectorState executes XRSTOR on an area with a bad header.
func loadBadVectorState()

// sigreturn calls rt_sigreturn with the stack pointer at a frame.
func sigreturn(frame uintptr)
