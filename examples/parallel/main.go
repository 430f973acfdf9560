// Parallel goes through what Linux promises to programs whose threads run at
// once, case by case, and prints what came of each: its name and a result that
// depends neither on the machine nor on what ran when. It is an ordinary program:
// a test compares what it prints on one core and on several with what it prints
// on Linux.
//
//	parallel          runs all cases
//	parallel CASE...  runs those
//	parallel end HOW  ends in a way that its threads are no part of
//
// Most cases lock goroutines to threads, so that it is the system that runs,
// wakes and stops them, and not the Go runtime.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
)

// parallelCase is one thing that is promised. Its function returns what came of
// it, in one line.
type parallelCase struct {
	name string
	run  func() string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "end" {
		end(os.Args[2:])
	}
	// Goroutines are to run on several threads also where there is one CPU.
	runtime.GOMAXPROCS(max(threads, runtime.NumCPU()))
	cases := slices.Concat(handoffCases, futexCases, scheduleCases, signalCases, faultCases, memoryCases)
	for _, name := range os.Args[1:] {
		if !slices.ContainsFunc(cases, func(c parallelCase) bool { return c.name == name }) {
			fmt.Fprintf(os.Stderr, "parallel: there is no case %q\n", name)
			os.Exit(2)
		}
	}
	for _, c := range cases {
		if len(os.Args) == 1 || slices.Contains(os.Args[1:], c.name) {
			fmt.Println(c.name, c.run())
		}
	}
}

// threads is how many threads most cases start.
const threads = 6

// onThreads runs a function on so many threads at once, and returns when all have
// returned. Faults on them are panics.
func onThreads(n int, run func(number int)) {
	var group sync.WaitGroup
	for number := range n {
		group.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			debug.SetPanicOnFault(true)
			run(number)
		})
	}
	group.Wait()
}

// tell says how many there are of something.
func tell(n int, what string) string { return strconv.Itoa(n) + " " + what }
