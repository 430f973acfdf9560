package main

// load reads 8 bytes at an address.
//
//go:noescape
func load(address uintptr) uint64

// store writes 8 bytes at an address.
//
//go:noescape
func store(address uintptr, value uint64)

// call calls what stands at an address.
func call(address uintptr)

// callStack calls a RET that it puts on its own stack.
func callStack()

// codeAddress returns an address in the program's text.
func codeAddress() uintptr
