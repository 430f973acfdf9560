// Package carrier is what it takes to carry a Go runtime, or any program that
// speaks the Linux interface: threads with their waits and deadlines, the
// bookkeeping of mapped memory, and signals with their frames on the stack.
//
// The CPU driver uses it to carry its own Go runtime in ring 0, the libos to
// carry the program of its domain. Nobody else may import it.
//
// It is passive: it keeps books and never calls out. Switching registers,
// mapping pages, reading clocks and entering user mode are its callers' part,
// and every function returns at once. It is freestanding: it runs with no Go
// runtime below it, allocates nothing, and keeps its tables in memory that its
// callers name by address. It holds no Go pointers, so that storing to its
// structures needs no write barrier. Nothing in it is safe for concurrent use:
// one core, interrupts off or the dispatcher disabled.
package carrier

import "unsafe"

// pointer turns an address that the compiler knows nothing of into a pointer.
func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// address is the inverse of pointer, for a thread.
func address(th *Thread) uintptr { return uintptr(unsafe.Pointer(th)) }

// negated is an error number as a call returns it.
func negated(errno int64) uint64 { return uint64(-errno) }
