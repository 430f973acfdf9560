// Spawn measures on Linux what starting a program and waiting for its end
// takes, by the shortest way there: clone with the memory shared until exec,
// as posix_spawn does. It prints lines NAME VALUE UNIT.
//
//	spawn COUNT PROGRAM [ARGS]
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: spawn COUNT PROGRAM [ARGS]")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil || count < 1 {
		fmt.Fprintln(os.Stderr, "spawn: how often?", err)
		os.Exit(2)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "spawn:", err)
		os.Exit(1)
	}
	samples := make([]float64, count)
	for i := range samples {
		began := time.Now()
		child, err := syscall.ForkExec(os.Args[2], os.Args[2:], &syscall.ProcAttr{Files: []uintptr{null.Fd(), null.Fd(), 2}})
		if err == nil {
			var status syscall.WaitStatus
			_, err = syscall.Wait4(child, &status, 0, nil)
			if err == nil && status != 0 {
				err = fmt.Errorf("wait status %#x", status)
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "spawn: %s: %v\n", os.Args[2], err)
			os.Exit(1)
		}
		samples[i] = float64(time.Since(began))
	}
	slices.Sort(samples)
	median := samples[count/2]
	fmt.Printf("spawn %.4g ns\n", median)
	fmt.Printf("spawn.spread %.1f %%\n", 50*(samples[count*3/4]-samples[count/4])/median)
}
