// Package mark says to a QEMU plugin what it is to count, by instructions that do nothing
// else: a program that marks runs the same wherever it is.
//
// A plugin that understands the marks models the private caches of each CPU, and counts
// between Begin and End the instructions, the lines that CPUs lack, and those that they
// take from each other. When it sees End it appends a report to its file: bench/cmd says
// what it takes from there.
//
// Programs in bench import it. It must never do anything but mark.
package mark

// Warm has the plugin begin to model caches. Without it Begin does, which then finds them
// empty.
func Warm()

// Begin has it count from here on, from 0.
func Begin()

// One says that one operation has been done.
func One()

// End has it stop and report.
func End()
