package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"skerry/bench/measure"
)

const (
	page     = 4096
	hugePage = 2 << 20
)

// Operations of Linux's futex call.
const (
	futexWaitPrivate = 128
	futexWakePrivate = 129
)

var rows = []measure.Row{
	{Name: "getppid", Prepare: simple(func() { syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0) })},
	{Name: "clock_gettime", Prepare: func() (measure.Operation, error) {
		now := new(syscall.Timespec)
		address := uintptr(unsafe.Pointer(now))
		return measure.Operation{
			Run:  func() { syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, address, 0) },
			Done: func() { runtime.KeepAlive(now) },
		}, nil
	}},
	{Name: "time_now", Prepare: simple(func() { time.Now() })},
	{Name: "futex_wake", Prepare: func() (measure.Operation, error) {
		word := new(uint32)
		return measure.Operation{Run: func() { futex(word, futexWakePrivate, 1) }}, nil
	}},
	{Name: "futex_pingpong", Prepare: futexPingPong},
	{Name: "pipe_pingpong_threads", Prepare: pipePingPongThreads},
	{Name: "pipe_pingpong_goroutines", Prepare: pipePingPongGoroutines},
	{Name: "mmap_touch_munmap_1", Prepare: mapping(1)},
	{Name: "mmap_touch_munmap_256", Prepare: mapping(256)},
	{Name: "page_fault", Prepare: pageFault},
	{Name: "page_fault_huge", Prepare: pageFaultHuge},
	{Name: "thread_create", Prepare: simple(threadCreate)},
	{Name: "goroutine_create", Prepare: simple(func() {
		done := make(chan struct{})
		go close(done)
		<-done
	})},
	{Name: "goroutine_switch", Prepare: goroutineSwitch},
	{Name: "collection", Prepare: collection},
}

func nothing() {}

// simple makes a row of an operation that needs no preparation.
func simple(operation func()) func() (measure.Operation, error) {
	return func() (measure.Operation, error) { return measure.Operation{Run: operation}, nil }
}

// futex makes Linux's futex call without telling the Go runtime, which for a
// wait means that the thread keeps its right to run Go code.
func futex(word *uint32, operation, value uintptr) {
	syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), operation, value, 0, 0, 0)
}

// duel runs reply in a loop on another thread until it returns false, and
// returns ping as an operation that both threads take part in. Each thread has
// the right to run Go code all the time, so that only the system switches
// between them. Both are bound to one CPU where the system has more.
func duel(ping func(), reply func() bool, stop func()) (measure.Operation, error) {
	before := runtime.GOMAXPROCS(2)
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its affinity
		bindToFirstCPU()
		close(ready)
		for reply() {
		}
		close(ended)
	}()
	<-ready
	release := bindToFirstCPU()
	runtime.LockOSThread()
	return measure.Operation{Run: ping, Done: func() {
		stop()
		<-ended
		release()
		runtime.UnlockOSThread()
		runtime.GOMAXPROCS(before)
	}}, nil
}

// bindToFirstCPU binds the thread to the first CPU that it may run on and
// returns how to undo that. Where there is one only, it does nothing.
func bindToFirstCPU() (undo func()) {
	var old [128]byte
	n, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(old), uintptr(unsafe.Pointer(&old)))
	if errno != 0 || runtime.NumCPU() == 1 {
		return nothing
	}
	var first [128]byte
	for i, bits := range old[:n] {
		if bits != 0 {
			first[i] = bits & -bits
			break
		}
	}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, n, uintptr(unsafe.Pointer(&first)))
	return func() { syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, n, uintptr(unsafe.Pointer(&old))) }
}

// futexPingPong is a round trip between two threads of one core: two wakes and
// two waits.
func futexPingPong() (measure.Operation, error) {
	const stopped = ^uint32(0)
	var there, back uint32
	round := uint32(0)
	answered := uint32(0)
	return duel(func() {
		round++
		atomic.StoreUint32(&there, round)
		futex(&there, futexWakePrivate, 1)
		for atomic.LoadUint32(&back) != round {
			futex(&back, futexWaitPrivate, uintptr(round-1))
		}
	}, func() bool {
		for atomic.LoadUint32(&there) == answered {
			futex(&there, futexWaitPrivate, uintptr(answered))
		}
		answered = atomic.LoadUint32(&there)
		atomic.StoreUint32(&back, answered)
		futex(&back, futexWakePrivate, 1)
		return answered != stopped
	}, func() {
		atomic.StoreUint32(&there, stopped)
		futex(&there, futexWakePrivate, 1)
	})
}

// pipePingPongThreads is a round trip of one byte between two threads of one
// core, over two pipes that block.
func pipePingPongThreads() (measure.Operation, error) {
	var there, back [2]int
	if err := syscall.Pipe2(there[:], syscall.O_CLOEXEC); err != nil {
		return measure.Operation{}, fmt.Errorf("pipe2: %w", err)
	}
	if err := syscall.Pipe2(back[:], syscall.O_CLOEXEC); err != nil {
		return measure.Operation{}, fmt.Errorf("pipe2: %w", err)
	}
	ball := new([2]byte)
	transfer := func(call uintptr, fd int, ball *byte) bool {
		for {
			n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(ball)), 1)
			if errno != syscall.EINTR {
				return errno == 0 && n == 1
			}
		}
	}
	return duel(func() {
		transfer(syscall.SYS_WRITE, there[1], &ball[0])
		transfer(syscall.SYS_READ, back[0], &ball[0])
	}, func() bool {
		return transfer(syscall.SYS_READ, there[0], &ball[1]) && transfer(syscall.SYS_WRITE, back[1], &ball[1])
	}, func() {
		for _, fd := range []int{there[1], there[0], back[0], back[1]} {
			syscall.Close(fd)
		}
	})
}

// pipePingPongGoroutines is a round trip of one byte between two goroutines
// over two of the os package's pipes.
func pipePingPongGoroutines() (measure.Operation, error) {
	thereRead, thereWrite, err := os.Pipe()
	if err != nil {
		return measure.Operation{}, err
	}
	backRead, backWrite, err := os.Pipe()
	if err != nil {
		return measure.Operation{}, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ball := make([]byte, 1)
		for {
			if _, err := thereRead.Read(ball); err != nil {
				return
			}
			if _, err := backWrite.Write(ball); err != nil {
				return
			}
		}
	}()
	ball := make([]byte, 1)
	return measure.Operation{
		Run: func() {
			thereWrite.Write(ball)
			backRead.Read(ball)
		},
		Done: func() {
			thereWrite.Close()
			<-ended
			thereRead.Close()
			backRead.Close()
			backWrite.Close()
		},
	}, nil
}

// mapping maps, touches and unmaps a number of pages.
func mapping(pages int) func() (measure.Operation, error) {
	return simple(func() {
		memory, err := anonymous(pages * page)
		if err != nil {
			panic(err)
		}
		for i := 0; i < len(memory); i += page {
			memory[i] = 1
		}
		if err := syscall.Munmap(memory); err != nil {
			panic(err)
		}
	})
}

// pageFault gives 256 pages back and touches them again.
func pageFault() (measure.Operation, error) {
	const pages = 256
	memory, err := anonymous(pages * page)
	if err != nil {
		return measure.Operation{}, err
	}
	return measure.Operation{
		Run:   func() { again(memory, page) },
		Units: pages, Bytes: page,
		Done: func() { syscall.Munmap(memory) },
	}, nil
}

// pageFaultHuge does so with 16 pages of 2 MiB, which the system was advised
// to use. It is an error if it does not.
func pageFaultHuge() (measure.Operation, error) {
	const pages = 16
	mapped, err := anonymous((pages + 1) * hugePage)
	if err != nil {
		return measure.Operation{}, err
	}
	address := uintptr(unsafe.Pointer(unsafe.SliceData(mapped)))
	memory := mapped[-address%hugePage:][:pages*hugePage]
	if err := syscall.Madvise(memory, syscall.MADV_HUGEPAGE); err != nil {
		return measure.Operation{}, fmt.Errorf("madvise(MADV_HUGEPAGE): %w", err)
	}
	before, err := faults()
	if err != nil {
		return measure.Operation{}, err
	}
	again(memory, page)
	after, err := faults()
	if err != nil {
		return measure.Operation{}, err
	}
	if after-before > 2*pages { // a few are the program's own
		return measure.Operation{}, fmt.Errorf("%d faults in %d pages of 2 MiB: the system uses smaller ones", after-before, pages)
	}
	return measure.Operation{
		Run:   func() { again(memory, hugePage) },
		Units: pages, Bytes: hugePage,
		Done: func() { syscall.Munmap(mapped) },
	}, nil
}

// anonymous maps so many bytes of memory.
func anonymous(size int) ([]byte, error) {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return memory, nil
}

// again gives memory back and writes to it again, once every step bytes.
func again(memory []byte, step int) {
	if err := syscall.Madvise(memory, syscall.MADV_DONTNEED); err != nil {
		panic(err)
	}
	for i := 0; i < len(memory); i += step {
		memory[i] = 1
	}
}

// faults returns how many page faults the program has taken.
func faults() (int64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return usage.Minflt, nil
}

// threadCreate starts a goroutine on a thread of its own, which ends with it.
func threadCreate() {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(done)
	}()
	<-done
}

// goroutineSwitch is a round trip between two goroutines over two channels,
// which is two switches.
func goroutineSwitch() (measure.Operation, error) {
	there, back := make(chan int), make(chan int)
	before := runtime.GOMAXPROCS(1)
	go func() {
		for v := range there {
			back <- v
		}
		close(back)
	}()
	return measure.Operation{
		Run: func() {
			there <- 1
			<-back
		},
		Units: 2,
		Done: func() {
			close(there)
			<-back
			runtime.GOMAXPROCS(before)
		},
	}, nil
}

// collection collects a heap of a fixed size: 100,000 linked nodes in 8 MiB.
func collection() (measure.Operation, error) {
	type node struct {
		next    *node
		payload [9]uint64
	}
	var list *node
	for i := range uint64(100_000) {
		list = &node{next: list, payload: [9]uint64{i}}
	}
	return measure.Operation{Run: runtime.GC, Done: func() { runtime.KeepAlive(list) }}, nil
}
