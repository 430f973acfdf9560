// Scheduling checks that loops without calls are preempted, with their
// registers whole, and that collections go on beside them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func compute(rounds int) (uint64, float64) {
	n, x := uint64(1), 1.0
	a, b, c, d := uint64(3), uint64(5), uint64(7), uint64(11)
	for i := range rounds {
		n = n*6364136223846793005 + uint64(i)
		x = x*1.0000001 + 1/(x+1)
		a, b, c, d = b^n, c+a, d^(n>>7), a+uint64(x)
	}
	return n ^ a ^ b ^ c ^ d, x
}

func main() {
	runtime.GOMAXPROCS(1)
	var stop atomic.Bool
	var spins atomic.Uint64
	go func() {
		for !stop.Load() {
			spins.Add(1)
		}
	}()
	for spins.Load() == 0 {
		runtime.Gosched() // comes back only if the loop is preempted
	}
	for range 5 {
		runtime.GC() // must stop the loop
		time.Sleep(time.Millisecond)
	}

	// The same computations, interrupted over and over and not.
	const rounds = 3_000_000
	wantN, wantX := compute(rounds)
	var group sync.WaitGroup
	failed := false
	for i := range 4 {
		group.Go(func() {
			if n, x := compute(rounds); n != wantN || x != wantX {
				failed = true
				fmt.Fprintf(os.Stderr, "scheduling: computation %d came to %#x, %v; want %#x, %v\n", i, n, x, wantN, wantX)
			}
		})
	}
	group.Wait()
	stop.Store(true)
	if failed {
		os.Exit(1)
	}
}
