package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// faultCases have threads fault and recover.
var faultCases = []parallelCase{
	{"nil-dereferences", nilDereferences},
	{"divisions-by-zero", divisions},
	{"faults-while-collected", faultsWhileCollected},
}

// What the compiler must not see through.
var (
	nothing *int
	naught  int
)

// recovered runs a function and returns what it panicked with, in words.
func recovered(run func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	run()
	return "nothing"
}

// nilDereferences has all threads dereference nil again and again.
func nilDereferences() string {
	const each = 40
	const want = "runtime error: invalid memory address or nil pointer dereference"
	var right atomic.Int64
	onThreads(threads, func(int) {
		for range each {
			if recovered(func() { *nothing = 1 }) == want {
				right.Add(1)
			}
		}
	})
	return tell(int(right.Load()), "recovered")
}

// divisions has all threads divide by zero.
func divisions() string {
	const each = 40
	var right atomic.Int64
	onThreads(threads, func(number int) {
		for range each {
			if recovered(func() { naught = number / naught }) == "runtime error: integer divide by zero" {
				right.Add(1)
			}
		}
	})
	return tell(int(right.Load()), "recovered")
}

// faultsWhileCollected has threads fault while another has them all stopped, over
// and over.
func faultsWhileCollected() string {
	var right, left atomic.Int64
	left.Store(threads - 1)
	onThreads(threads, func(number int) {
		if number == 0 {
			for left.Load() > 0 {
				runtime.GC()
			}
			return
		}
		for range 20 {
			if recovered(func() { *nothing++ }) != "nothing" {
				right.Add(1)
			}
		}
		left.Add(-1)
	})
	return tell(int(right.Load()), "recovered")
}

// end ends the program in the way that is asked for, from a thread that is not the
// first, while all others do something else.
func end(args []string) {
	ends := map[string]func(){
		"exit":     func() { os.Exit(7) },
		"panic":    func() { panic("asked to panic") },
		"nil":      func() { *nothing = 1 },
		"kill":     func() { syscall.Kill(syscall.Getpid(), syscall.SIGKILL) },
		"return":   func() { finished <- true },
		"abandon":  func() { finished <- false }, // main's thread ends, the program goes on
		"deadlock": nil,
	}
	if len(args) != 1 {
		usage()
	}
	run, there := ends[args[0]]
	if !there {
		usage()
	}
	if run == nil {
		select {}
	}
	var begun atomic.Int64
	var others [threads]func()
	for i := range others {
		others[i] = []func(){spin, sleep, block}[i%3]
	}
	for _, other := range others {
		go func() {
			runtime.LockOSThread()
			begun.Add(1)
			other()
		}()
	}
	go func() {
		runtime.LockOSThread()
		for begun.Load() < int64(len(others)) {
			runtime.Gosched()
		}
		run()
	}()
	if <-finished {
		fmt.Println("finished")
		os.Exit(0)
	}
	go func() {
		time.Sleep(time.Millisecond)
		fmt.Println("alone")
		os.Exit(3)
	}()
	runtime.Goexit()
}

var finished = make(chan bool)

func usage() {
	fmt.Fprintln(os.Stderr, "usage: parallel end exit|panic|nil|kill|return|abandon|deadlock")
	os.Exit(2)
}

func spin() {
	for n := uint64(1); ; {
		n = n*6364136223846793005 + 1442695040888963407
	}
}

func sleep() {
	for {
		t := syscall.NsecToTimespec(int64(time.Hour))
		syscall.Nanosleep(&t, nil)
	}
}

// block waits for a byte that never comes, in the system.
func block() {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic("no pipe: " + strconv.Itoa(int(err.(syscall.Errno))))
	}
	syscall.Read(ends[0], make([]byte, 1))
}
