// Space measures what it costs the threads of one program on several CPUs to have the
// same memory: page faults, and taking away a page that all of them use. It is an
// ordinary program, and runs on Linux too.
//
//	space
//
// It uses the CPUs that it is given, the first of which is the program's own, and
// prints
//
//	space_fault VALUE ns         the first one touches a fresh page, the first in all
//	space_fault_away VALUE ns    the last one does
//	space_touch_away VALUE ns    the last one touches a page that the first has touched
//	space_protect VALUE ns       mprotect takes the right to write from a page that all
//	                             others read in a loop
//	space_munmap VALUE ns        munmap takes such a page away
//	space_munmap_own VALUE ns    munmap takes a page away that the first CPU alone has used
//
// the median over rounds; without other CPUs the rows with "away" are left out, and
// nobody reads in a loop.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/lib/pause"
)

const (
	faultRounds = 25
	faultPages  = 256
	rounds      = 101
	pageSize    = 4096

	// base is where memory is mapped: neither the Go runtime nor a system that
	// chooses comes there.
	base = uintptr(0x2a_0000_0000)
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "space:", err)
		os.Exit(1)
	}
}

func run() error {
	cpus := runtime.NumCPU()
	runtime.GOMAXPROCS(cpus + 1) // one for the runtime's own
	debug.SetGCPercent(-1)       // it would stop all threads
	runtime.LockOSThread()
	if err := pin(0); err != nil {
		return err
	}
	last, err := newHelper(cpus - 1)
	if err != nil {
		return err
	}
	here := func(f func()) { f() }
	if err := faults("space_fault", here, nil); err != nil {
		return err
	}
	if cpus > 1 {
		if err := faults("space_fault_away", last.do, nil); err != nil {
			return err
		}
		if err := faults("space_touch_away", last.do, touchAll); err != nil {
			return err
		}
	}
	last.stop()
	return taking(cpus)
}

// pin lets the calling thread run on one CPU only.
func pin(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("run on CPU %d: %w", cpu, err)
	}
	return nil
}

// helper is a thread on a CPU.
type helper struct{ work chan func() }

func newHelper(cpu int) (*helper, error) {
	h := &helper{work: make(chan func())}
	pinned := make(chan error)
	go func() {
		runtime.LockOSThread()
		pinned <- pin(cpu)
		for f := range h.work {
			f()
			h.work <- nil
		}
	}()
	return h, <-pinned
}

// do has a function called there, and returns when that has returned.
func (h *helper) do(f func()) {
	h.work <- f
	<-h.work
}

func (h *helper) stop() { close(h.work) }

func mmap(size uintptr) error {
	_, err := unix.MmapPtr(-1, 0, unsafe.Add(unsafe.Pointer(nil), base), size,
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err
}

func munmap(size uintptr) error {
	return unix.MunmapPtr(unsafe.Add(unsafe.Pointer(nil), base), size)
}

// word is the first word of a page.
func word(page uintptr) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Add(unsafe.Pointer(nil), base+page*pageSize))
}

func touchAll() {
	for page := range uintptr(faultPages) {
		word(page).Store(1)
	}
}

// faults times touching pages somewhere, each round new ones, after before has been
// called here.
func faults(name string, where func(func()), before func()) error {
	var took []time.Duration
	for range faultRounds {
		if err := mmap(faultPages * pageSize); err != nil {
			return err
		}
		if before != nil {
			before()
		}
		var t time.Duration
		where(func() {
			began := time.Now()
			touchAll()
			t = time.Since(began)
		})
		took = append(took, t)
		if err := munmap(faultPages * pageSize); err != nil {
			return err
		}
	}
	report(name, took, faultPages)
	return nil
}

// report prints the median of times that so many operations took each.
func report(name string, took []time.Duration, operations int) {
	slices.Sort(took)
	fmt.Printf("%s %.1f ns\n", name, float64(took[len(took)/2].Nanoseconds())/float64(operations))
}

// readers are threads, one on each CPU but the first, that read a page in a loop
// while there is one for them.
type readers struct {
	round atomic.Int64 // odd while they may read; -1: they are to end
	in    atomic.Int64 // how many have read in this round
	out   atomic.Int64 // how many do not read any more in this round
	wait  sync.WaitGroup
}

// read is what one does: in each round once.
func (r *readers) read() {
	for done := int64(0); ; {
		round := r.round.Load()
		switch {
		case round < 0:
			return
		case round%2 == 0 || round == done:
			pause.Times(1)
		default:
			r.readIn(round)
			done = round
			r.out.Add(1)
		}
	}
}

// readIn reads until the page is taken away, which is a fault, and a panic, or the
// round is over.
func (r *readers) readIn(round int64) {
	debug.SetPanicOnFault(true)
	defer func() { _ = recover() }()
	word(0).Load()
	r.in.Add(1)
	for r.round.Load() == round {
		word(0).Load()
	}
}

// taking times what takes pages away from threads on so many CPUs, which use them.
func taking(cpus int) error {
	var r readers
	failed := make(chan error, cpus)
	for cpu := 1; cpu < cpus; cpu++ {
		r.wait.Go(func() {
			runtime.LockOSThread()
			if err := pin(cpu); err != nil {
				failed <- err
			}
			r.read()
		})
	}
	defer r.wait.Wait()
	defer r.round.Store(-1)
	others := int64(cpus - 1)
	protect := func() error {
		if _, _, errno := unix.Syscall(unix.SYS_MPROTECT, base, pageSize, unix.PROT_READ); errno != 0 {
			return errno
		}
		return nil
	}
	unmap := func() error { return munmap(pageSize) }
	for _, c := range []struct {
		name string
		own  bool
		do   func() error
	}{
		{"space_protect", false, protect},
		{"space_munmap", false, unmap},
		{"space_munmap_own", true, unmap},
	} {
		var took []time.Duration
		for range rounds {
			if err := mmap(pageSize); err != nil {
				return err
			}
			word(0).Store(1)
			if !c.own {
				r.in.Store(0)
				r.out.Store(0)
				r.round.Add(1)
				for r.in.Load() < others {
					if len(failed) > 0 {
						return <-failed
					}
					pause.Times(1)
				}
			}
			began := time.Now()
			if err := c.do(); err != nil {
				return err
			}
			took = append(took, time.Since(began))
			if !c.own {
				r.round.Add(1)
				for r.out.Load() < others {
					pause.Times(1)
				}
			}
		}
		report(c.name, took, 1)
	}
	return nil
}
