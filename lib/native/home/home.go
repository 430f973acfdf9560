// Package home makes native calls where a program's capabilities are.
//
// A program on several cores has a dispatcher on each, and each of these has a CSpace
// of its own: what a reference names depends on where the call is made. A program's
// references, and its memory as far as kernels reach it, are those of home, its first
// dispatcher. So in such a program a goroutine that stays there makes all native calls
// for the others. A program on one core makes them where it is.
//
// Packages native and capability import it. It must never be used for a call that waits:
// all others would wait with it.
package home

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"skerry/abi"
	"skerry/lib/native/raw"
)

// Alone reports whether the program has one dispatcher.
func Alone() bool { return alone }

// Where there is one, the runtime has seen one processor.
var alone = runtime.NumCPU() == 1

// request is a call that somebody else makes.
type request struct {
	number    uintptr
	arguments [6]uintptr
	err       abi.Error
	value     uintptr
	done      chan struct{}
}

var (
	start    sync.Once
	requests chan *request
	unused   = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}
)

// Call makes native call number num with up to six arguments, as raw.Call does, for a
// program that is not Alone; one that is calls raw.Call, which is quicker. Any goroutine
// can call it.
func Call(num, a0, a1, a2, a3, a4, a5 uintptr) (abi.Error, uintptr) {
	start.Do(func() {
		requests = make(chan *request)
		go serve(requests)
	})
	r := unused.Get().(*request)
	r.number, r.arguments = num, [6]uintptr{a0, a1, a2, a3, a4, a5}
	requests <- r
	<-r.done
	err, value := r.err, r.value
	unused.Put(r)
	return err, value
}

// serve makes calls at home.
func serve(requests <-chan *request) {
	runtime.LockOSThread()
	var first unix.CPUSet
	first.Set(0) // home's number on Skerry
	// On a system where that is not to be had native calls fail anyway.
	if err := unix.SchedSetaffinity(0, &first); err != nil {
		fmt.Fprintf(os.Stderr, "native calls cannot be made on the first core: %v\n", err)
	}
	for r := range requests {
		a := &r.arguments
		r.err, r.value = raw.Call(r.number, a[0], a[1], a[2], a[3], a[4], a[5])
		r.done <- struct{}{}
	}
}
