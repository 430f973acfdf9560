// Package memory is the allocator of the memory service: which RAM of a core is
// in use and which is free, by ranges and numbers alone.
//
// A core's RAM comes in roots, each a capability from which blocks are retyped:
// those that the core was given at boot, and ranges borrowed from other cores,
// which package loan moves. Blocks are powers of two, aligned to their size by
// physical address, from supply.Least up; a free block and its buddy join.
//
// Monitors import it. It is a data structure without goroutine, clock, or I/O: it
// touches no memory but its own and makes no invocation.
package memory
