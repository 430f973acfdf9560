// The libos lies under every domain: it makes a dispatcher into the Linux that
// the domain's program expects. It schedules the program's threads, pages its
// memory, serves its Linux calls, delivers its signals, and talks to the
// spawner for its standard streams, all in user mode; the CPU driver only
// reflects what happens to it as upcalls.
//
// It is linked as a Go program, but the Go runtime that the linker adds is
// never started: everything is freestanding Go (see package carrier) plus
// assembly, entered at main.entry by the CPU driver. Nothing imports it. It
// must never allocate on a Go heap, store pointers, or touch memory of the
// program that it has not made sure is there: a fault of its own ends the
// domain.
//
// The way of a Linux call: the program's SYSCALL enters the CPU driver, which
// sends it back up to linuxEntry (entry_amd64.s). That saves the thread's
// registers in its carrier.Thread, switches to the libos's stack and calls
// linuxUpcall (upcalls.go), which looks the call up in the table (calls.go). The
// result goes into the saved RAX, and resume loads the registers and jumps back
// into the program: no kernel entry but the one. Vector registers are not kept
// over a Linux call: Go code holds nothing in them there, unlike what the C
// convention would allow. Interruptions and page faults keep all state.
//
// All memory is made of the RAM that the domain holds capabilities to, by
// package vspace: the program's when it faults or asks for it, and the libos's
// own tables when they are touched for the first time, by the upcall for nested
// faults. That one runs on a stack of its own, in the midst of whatever the libos
// was doing, and touches nothing that could fault again. RAM that is missing is
// asked of the spawner (supply.go): the domain stands still meanwhile.
//
// Beside Linux's calls it serves those of package abi (calls_native.go), by
// which programs that know of capabilities have slots, RAM and mappings.
package main

// main is not run: the entry point is entry, in entry_amd64.s.
func main() {}
