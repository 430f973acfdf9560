// Package linux holds the numbers and layouts of the Linux interface on amd64
// that programs carried by Skerry expect: call numbers and their names, error
// numbers, flags, and the structures that calls exchange with memory.
//
// The libos and the CPU driver (for its own Go runtime) import it, and so may
// tests and tools. Like package abi it imports nothing, allocates nothing,
// holds no state that changes, and is freestanding.
package linux
