// Package abi holds the numbers and layouts that the CPU driver, the libos and
// native domains agree on: the address map, the dispatcher frame, upcalls,
// native calls, their errors, and the structures those calls exchange.
//
// Everything may import it. It imports nothing, allocates nothing, holds no
// state, and every function in it is freestanding: it may run with no Go
// runtime below it.
package abi

// Version is the kernel's version as `skerry version`, the boot summary and
// the KCB report it.
const Version = "0.1.0"

// PageSize is the size of a page and of a frame in bytes.
const PageSize = 4096
