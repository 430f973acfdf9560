// Package raw is the one instruction sequence that makes a native call.
//
// Package native imports it. It is freestanding and must never
// interpret what it passes on: numbers and arguments are package abi's.
package raw

import "skerry/abi"

// Call makes native call number num (abi.CallNop…) with up to six arguments.
// Pointers go in as addresses, of memory that is present.
func Call(num, a0, a1, a2, a3, a4, a5 uintptr) (err abi.Error, value uintptr)
