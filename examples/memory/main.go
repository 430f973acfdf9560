// Memory goes through what Linux promises of mmap, munmap, mprotect, madvise,
// mincore and brk, case by case, and prints what came of each: its name and a
// result that names no address and does not depend on the machine. A test
// compares the lines that it prints on Skerry with those that it prints on
// Linux.
//
//	memory          runs all cases
//	memory CASE...  runs those
//
// All calls are raw: nothing but the system is asked. What a case maps lies in
// one part of the address space, which is empty before and after it.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
)

// memoryCase is one thing that Linux promises. Its function returns what came
// of it, in one line.
type memoryCase struct {
	name string
	run  func() string
}

func main() {
	// Nothing but the cases shall map or unmap anything meanwhile.
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	cases := slices.Concat(mapCases, fixedCases, unmapCases, protectCases, adviseCases, hugeCases,
		residentCases, breakCases, fileCases, accessCases, remapCases)
	for _, name := range os.Args[1:] {
		if !slices.ContainsFunc(cases, func(c memoryCase) bool { return c.name == name }) {
			fmt.Fprintf(os.Stderr, "memory: there is no case %q\n", name)
			os.Exit(2)
		}
	}
	for _, c := range cases {
		if len(os.Args) == 1 || slices.Contains(os.Args[1:], c.name) {
			fmt.Println(c.name, result(c))
		}
	}
}

// result runs a case in an empty part of the address space.
func result(c memoryCase) (text string) {
	unmap(base, room)
	defer unmap(base, room)
	defer func() {
		switch failure := recover().(type) {
		case nil:
		case setupError:
			text = "cannot be tried: " + string(failure)
		default:
			text = fmt.Sprint("panics: ", failure)
		}
	}()
	return c.run()
}
