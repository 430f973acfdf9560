package abi

// LibosCall is the number of the first call that a libos serves beside
// Linux's. Like those it is a SYSCALL with its number in RAX, arguments in RDI,
// RSI, RDX, R10, R8, R9, and a result or a negative Linux error number in RAX;
// it preserves what a Linux call preserves. A libos owns its domain's CSpace and
// address space: these calls are how a program has a part of both. Package
// lib/native has functions for them.
const LibosCall = 0x1000

// Numbers of the calls.
const (
	// LibosSlot takes an empty slot of the CSpace: () → reference; ENOMEM.
	LibosSlot = LibosCall + iota
	// LibosFreeSlot gives back a slot from LibosSlot, which must be empty:
	// (reference) → 0; EINVAL.
	LibosFreeSlot
	// LibosCNode takes a whole empty L2 CNode: () → the reference, of level
	// one, of the slot of the L1 CNode that holds it. All its slots but 0 are
	// the caller's for good. ENOMEM.
	LibosCNode
	// LibosMap maps part of a Frame or DeviceFrame: (address or 0, reference,
	// offset, bytes, protection) → address. Address, offset and size are
	// multiples of PageSize; with pages of 2 MiB and 1 GiB where address,
	// physical address and size allow. It is a region as if by mmap: munmap,
	// mprotect and a mapping over it do what they do. The capability must
	// stay where it is while the region is mapped. EINVAL, EACCES, ENOMEM; ENOENT
	// if there is none, as where it has been revoked.
	LibosMap
	// LibosRAM takes RAM out of what the domain holds: (bytes, a power of two
	// that is at least PageSize, slot from LibosSlot) → 0; the slot then holds
	// a RAM capability of that size, aligned to it. ENOMEM.
	LibosRAM
	// LibosGiveRAM gives RAM to the libos, to use as any: (slot from LibosSlot
	// with a RAM capability that has rights Grant, Retype and Revoke) → 0. The
	// slot is the libos's from then on. ENOMEM, EINVAL.
	LibosGiveRAM
	// LibosMemory describes the memory of the domain: (*Memory) → 0; EFAULT.
	LibosMemory
	// LibosYield lets others run, the program's own ready threads too: (to) → 0. What
	// is left of the program's turn goes to the dispatcher behind an Endpoint or a
	// Doorbell, a reference with right Send, as by CallYield; 0: to whoever is next.
	// EINVAL.
	LibosYield
	// LibosCallEnd is behind the last.
	LibosCallEnd
)

// Memory says what memory a domain holds, in bytes.
type Memory struct {
	// Held is all RAM that it was given, Free what of it is in no use.
	Held, Free uint64
	// Mapped is what is mapped of it for the program, Tables what page tables
	// and CNodes take.
	Mapped, Tables uint64
	// Peak is the most that Held has been.
	Peak uint64
}
