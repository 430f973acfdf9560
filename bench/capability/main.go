// Capability measures what the CPU driver's capability operations cost a native
// program, with few, a thousand and a million capabilities in the core's
// database. It runs on Skerry alone and must be given the Kernel with right
// Read. Package measure says what it prints; besides, at the end,
//
//	kernel_allocations N allocations
//	longest_event N ticks
//
// what the kernel has allocated from its heap meanwhile and, with -count, the
// longest time for which it has kept interrupts off since it was ready.
//
//	capability [-count] [-time D] [NAME ...]
package main

import (
	"fmt"
	"os"

	"skerry/bench/measure"
	"skerry/lib/native"
)

func main() {
	before, err := native.CoreInfo()
	if err != nil {
		fmt.Fprintln(os.Stderr, "capability: cannot inspect the core:", err)
		os.Exit(1)
	}
	ok := measure.Run(rows())
	after, err := native.CoreInfo()
	if err != nil || !ok {
		fmt.Fprintln(os.Stderr, "capability: not all could be measured:", err)
		os.Exit(1)
	}
	fmt.Println("kernel_allocations", after.Mallocs-before.Mallocs, "allocations")
	if measure.Counting() {
		fmt.Println("longest_event", after.LongestEvent, "ticks")
	}
}
