// Collecting makes garbage from many goroutines, with stacks that grow, maps,
// finalizers and several threads, and checks what must survive.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

type tree struct {
	left, right *tree
	value       int
}

func grow(depth, value int) *tree {
	if depth == 0 {
		return &tree{value: value}
	}
	return &tree{grow(depth-1, 2*value), grow(depth-1, 2*value+1), value}
}

func (t *tree) sum() int {
	if t == nil {
		return 0
	}
	return t.value + t.left.sum() + t.right.sum()
}

// deep needs a large stack that holds pointers.
func deep(n int, keep *int) int {
	var frame [64]int
	frame[n%64] = n
	local := n
	if n == 0 {
		return *keep
	}
	return deep(n-1, &local) - local + frame[n%64] + *keep - *keep
}

func main() {
	debug.SetGCPercent(20)
	runtime.GOMAXPROCS(3) // more threads than the core can run
	long := grow(12, 1)
	want := long.sum()
	var finalized atomic.Int64
	var group sync.WaitGroup
	var bad atomic.Int64
	for i := range 300 {
		group.Go(func() {
			m := map[int]*tree{}
			for j := range 10 {
				m[j] = grow(4, j+1)
				t := grow(1, j)
				runtime.SetFinalizer(t, func(*tree) { finalized.Add(1) })
			}
			seven := 7
			if deep(50+i, &seven) != 1 {
				bad.Add(1)
			}
			for j := range 10 {
				if m[j].sum() != grow(4, j+1).sum() {
					bad.Add(1)
				}
			}
		})
	}
	group.Wait()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if long.sum() != want || bad.Load() != 0 || stats.NumGC < 3 {
		fmt.Fprintf(os.Stderr, "collecting: sum %d, want %d; %d bad; %d collections\n", long.sum(), want, bad.Load(), stats.NumGC)
		os.Exit(1)
	}
	for finalized.Load() == 0 {
		runtime.GC()
		runtime.Gosched()
	}
	debug.FreeOSMemory()
	if grow(10, 1).sum() == 0 || long.sum() != want {
		fmt.Fprintln(os.Stderr, "collecting: memory that was given back and taken again holds something else")
		os.Exit(1)
	}
}
