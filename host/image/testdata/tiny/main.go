// Command tiny is a kernel for the image builder's test: its entry point checks
// the state it is entered in and says so on COM1, without a runtime.
package main

import _ "skerry/abi"

func entry()

// zero lies in bss.
var zero [4096]uint64

func main() {
	zero[0]++
	entry()
}
