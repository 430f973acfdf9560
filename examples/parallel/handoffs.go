package main

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// handoffCases hand things from thread to thread.
var handoffCases = []parallelCase{
	{"mutex", mutex},
	{"read-write-mutex", readWriteMutex},
	{"condition", condition},
	{"channels", channels},
	{"select", selection},
	{"pipes", pipes},
	{"once", once},
	{"threads-come-and-go", comeAndGo},
}

// mutex has threads count under a lock, with one that they all want.
func mutex() string {
	var lock sync.Mutex
	count := 0
	onThreads(threads, func(int) {
		for range 2000 {
			lock.Lock()
			count++
			lock.Unlock()
		}
	})
	return tell(count, "counted")
}

// readWriteMutex has readers look whether a writer is ever seen in the midst.
func readWriteMutex() string {
	var lock sync.RWMutex
	var a, b, torn int
	var reads atomic.Int64
	onThreads(threads, func(number int) {
		for range 500 {
			if number%3 == 0 {
				lock.Lock()
				a++
				runtime.Gosched()
				b++
				lock.Unlock()
				continue
			}
			lock.RLock()
			if a != b {
				torn++
			}
			lock.RUnlock()
			reads.Add(1)
		}
	})
	return tell(b, "writes, ") + tell(int(reads.Load()), "reads, ") + tell(torn, "torn")
}

// condition has producers and consumers wait for each other on one condition
// around a small buffer.
func condition() string {
	const each = 1000
	var lock sync.Mutex
	var buffer []int
	changed := sync.NewCond(&lock)
	sum := 0
	onThreads(threads, func(number int) {
		for i := range each {
			lock.Lock()
			if number%2 == 0 {
				for len(buffer) == 3 {
					changed.Wait()
				}
				buffer = append(buffer, number*each+i)
			} else {
				for len(buffer) == 0 {
					changed.Wait()
				}
				sum += buffer[0]
				buffer = buffer[1:]
			}
			changed.Broadcast()
			lock.Unlock()
		}
	})
	return "sum " + tell(sum, "of what came over")
}

// channels passes a number around a ring of threads.
func channels() string {
	const rounds = 300
	ring := make([]chan int, threads)
	for i := range ring {
		ring[i] = make(chan int)
	}
	last := 0
	onThreads(threads, func(number int) {
		for range rounds {
			if number == 0 {
				ring[1] <- last + 1
				last = <-ring[0]
				continue
			}
			ring[(number+1)%threads] <- <-ring[number] + 1
		}
	})
	return tell(last, "hops")
}

// selection has one thread take from whichever of the others has something.
func selection() string {
	const each = 400
	a, b := make(chan int), make(chan int, 5)
	sum := 0
	onThreads(3, func(number int) {
		for i := range each {
			switch number {
			case 0:
				a <- i
			case 1:
				b <- 1000 * i
			case 2:
				for range 2 {
					select {
					case n := <-a:
						sum += n
					case n := <-b:
						sum += n
					}
				}
			}
		}
	})
	return "sum " + tell(sum, "of what was selected")
}

// pipes sends bytes around a ring of pipes: the threads block in the system. Half
// of the pipes block, half are polled for.
func pipes() string {
	const rounds = 30
	type pipe struct {
		read  func([]byte) (int, error)
		write func([]byte) (int, error)
		close func()
	}
	ring := make([]pipe, threads)
	for i := range ring {
		if i%2 == 0 {
			r, w, err := os.Pipe()
			if err != nil {
				return err.Error()
			}
			ring[i] = pipe{r.Read, w.Write, func() { r.Close(); w.Close() }}
			continue
		}
		var ends [2]int
		if err := syscall.Pipe(ends[:]); err != nil {
			return err.Error()
		}
		ring[i] = pipe{
			func(b []byte) (int, error) { return syscall.Read(ends[0], b) },
			func(b []byte) (int, error) { return syscall.Write(ends[1], b) },
			func() { syscall.Close(ends[0]); syscall.Close(ends[1]) },
		}
	}
	var bad atomic.Int64
	last := byte(0)
	onThreads(threads, func(number int) {
		take := func() byte {
			var b [1]byte
			if n, err := ring[number].read(b[:]); n != 1 || err != nil {
				bad.Add(1)
			}
			return b[0]
		}
		give := func(b byte) {
			if n, err := ring[(number+1)%threads].write([]byte{b}); n != 1 || err != nil {
				bad.Add(1)
			}
		}
		for range rounds {
			if number == 0 {
				give(last + 1)
				last = take()
			} else {
				give(take() + 1)
			}
		}
	})
	for _, p := range ring {
		p.close()
	}
	return tell(int(last), "in the byte that went around, ") + tell(int(bad.Load()), "errors")
}

// once has threads race for who does something first.
func once() string {
	done, wrong := 0, atomic.Int64{}
	for range 100 {
		var first sync.Once
		made := 0
		onThreads(4, func(int) {
			first.Do(func() { made++; done++ })
			if made != 1 {
				wrong.Add(1)
			}
		})
	}
	return tell(done, "done once, ") + tell(int(wrong.Load()), "seen undone")
}

// comeAndGo has threads start others and end: a goroutine that ends while it is
// locked to its thread ends that too.
func comeAndGo() string {
	var ended sync.WaitGroup
	var count atomic.Int64
	var start func(depth int)
	start = func(depth int) {
		ended.Go(func() {
			runtime.LockOSThread()
			count.Add(1)
			if depth > 0 {
				start(depth - 1)
				start(depth - 1)
			}
		})
	}
	for range 3 {
		start(5)
	}
	ended.Wait()
	return tell(int(count.Load()), "threads")
}
