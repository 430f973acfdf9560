// Scheduled waits until a program of a name has a dispatcher on its core that can
// run or has run, and prints how that is scheduled: weight, period, budget and deadline.
//
//	scheduled NAME
package main

import (
	"fmt"
	"os"
	"time"

	"skerry/abi"
	"skerry/lib/native"
)

func main() {
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
		for from := uint64(0); ; {
			d, ok, err := native.Dispatcher(from)
			if err != nil {
				fail(err)
			}
			if !ok {
				break
			}
			if native.Text(d.Name[:]) == os.Args[1] && (d.State == abi.DomainReady || d.State == abi.DomainParked) {
				fmt.Println(d.Weight, time.Duration(d.Period), time.Duration(d.Budget), time.Duration(d.Deadline))
				return
			}
			from = uint64(d.Domain) | uint64(d.Number+1)<<32
		}
	}
	fail("there is no such program here")
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "scheduled:", why)
	os.Exit(1)
}
