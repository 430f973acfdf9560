package main

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// scheduleCases are about who runs, for how long, and where.
var scheduleCases = []parallelCase{
	{"spinning-goroutines-are-preempted", preempted},
	{"spinning-threads-are-preempted", threadsPreempted},
	{"collection-stops-spinning-threads", collectionStops},
	{"floating-point-survives", floatingPoint},
	{"stacks-grow", stacksGrow},
	{"gomaxprocs-changes", gomaxprocsChanges},
	{"sleeps-are-not-short", sleeps},
	{"timers", timers},
	{"tickers", tickers},
	{"time-goes-forward", timeForward},
	{"affinity", affinity},
	{"own-cpu", ownCPU},
}

// preempted starts more goroutines that spin, in a loop without a call, than there
// are threads to run them. Each spins until all have begun, so that they end only
// if they are taken off their threads.
func preempted() string {
	n := runtime.GOMAXPROCS(0) + 3
	var begun atomic.Int64
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			begun.Add(1)
			for begun.Load() < int64(n) {
			}
		})
	}
	group.Wait()
	return "all began"
}

// threadsPreempted does likewise with threads, of which there are more than cores.
func threadsPreempted() string {
	var begun atomic.Int64
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * threads))
	onThreads(2*threads, func(int) {
		begun.Add(1)
		for begun.Load() < 2*threads {
		}
	})
	return "all began"
}

// collectionStops collects garbage while threads spin: all must be stopped, by a
// signal each, and go on.
func collectionStops() string {
	const collections = 2
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var stop atomic.Bool
	onThreads(threads, func(number int) {
		if number != 0 {
			for !stop.Load() {
			}
			return
		}
		for range collections {
			runtime.GC()
		}
		stop.Store(true)
	})
	runtime.ReadMemStats(&after)
	if after.NumGC-before.NumGC < collections {
		return "too few collections"
	}
	return "collected"
}

// floatingPoint computes on all threads what many registers hold meanwhile, while
// the collector stops and preempts them, and compares with one undisturbed.
func floatingPoint() string {
	compute := func(seed int) float64 {
		a, b, c, d := float64(seed), 1.5, -2.25, 3.125
		e, f, g, h := 0.5, 0.25, 0.125, float64(seed)/3
		for range 200_000 {
			a, b, c, d = b*0.999+e, c*0.998+f, d*0.997+g, a*0.996+h
			e, f, g, h = f*0.5+a*0.1, g*0.5+b*0.1, h*0.5+c*0.1, e*0.5+d*0.1
		}
		return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h
	}
	var want [threads]uint64
	for i := range want {
		want[i] = math.Float64bits(compute(i))
	}
	var wrong, left atomic.Int64
	left.Store(threads)
	onThreads(threads+1, func(number int) {
		if number == threads {
			for left.Load() > 0 {
				runtime.GC()
			}
			return
		}
		for range 2 {
			if math.Float64bits(compute(number)) != want[number] {
				wrong.Add(1)
			}
		}
		left.Add(-1)
	})
	return tell(int(wrong.Load()), "wrong")
}

// stacksGrow has goroutines on all threads recurse deeply, again and again from
// the smallest stack, while the collector shrinks what it can.
func stacksGrow() string {
	var sum atomic.Int64
	onThreads(threads, func(number int) {
		for range 5 {
			done := make(chan int)
			go func() { done <- deep(2000 + number) }()
			sum.Add(int64(<-done + deep(1000)))
			if number == 0 {
				runtime.GC()
			}
		}
	})
	return "depths of " + tell(int(sum.Load()), "in all")
}

// deep recurses n times with a frame of its own each and returns n.
func deep(n int) int {
	var frame [16]int
	frame[n%16] = 1
	if n > 1 {
		frame[n%16] += deep(n - 1)
	}
	return frame[n%16]
}

// gomaxprocsChanges changes how many threads run goroutines while they do.
func gomaxprocsChanges() string {
	before := runtime.GOMAXPROCS(0)
	var stop atomic.Bool
	var count atomic.Int64
	var group sync.WaitGroup
	for range 2 * threads {
		group.Go(func() {
			for i := 0; i < 2000 || !stop.Load(); i++ {
				if i < 2000 {
					count.Add(1)
				}
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wrong := 0
	for i := range 30 {
		n := 1 + i*7%(threads+2)
		runtime.GOMAXPROCS(n)
		if runtime.GOMAXPROCS(0) != n {
			wrong++
		}
		runtime.Gosched()
	}
	stop.Store(true)
	group.Wait()
	runtime.GOMAXPROCS(before)
	return tell(int(count.Load()), "counted, ") + tell(wrong, "wrong")
}

// sleeps has threads sleep in the system for times of their own.
func sleeps() string {
	var short, slept atomic.Int64
	onThreads(threads, func(number int) {
		for i := range 5 {
			duration := time.Duration(1+(number+i)%4) * time.Millisecond
			began := time.Now()
			left := syscall.NsecToTimespec(int64(duration))
			for syscall.Nanosleep(&left, &left) == syscall.EINTR {
			}
			slept.Add(1)
			if time.Since(began) < duration {
				short.Add(1)
			}
		}
	})
	return tell(int(slept.Load()), "sleeps, ") + tell(int(short.Load()), "short")
}

// timers sets many of the runtime's timers from all threads, stops some, and
// waits for the others.
func timers() string {
	const each = 50
	var fired, early, stopped atomic.Int64
	onThreads(threads, func(number int) {
		var group sync.WaitGroup
		for i := range each {
			duration := time.Duration((i*7+number)%20) * time.Millisecond / 4
			began := time.Now()
			group.Add(1)
			time.AfterFunc(duration, func() {
				defer group.Done()
				fired.Add(1)
				if time.Since(began) < duration {
					early.Add(1)
				}
			})
			if time.AfterFunc(time.Hour, func() { early.Add(1) }).Stop() {
				stopped.Add(1)
			}
		}
		group.Wait()
	})
	return tell(int(fired.Load()), "fired, ") + tell(int(early.Load()), "early, ") + tell(int(stopped.Load()), "stopped")
}

// tickers has a ticker on each thread while others spin.
func tickers() string {
	var ticks atomic.Int64
	var left atomic.Int64
	left.Store(threads / 2)
	onThreads(threads, func(number int) {
		if number%2 == 1 {
			for left.Load() > 0 {
			}
			return
		}
		ticker := time.NewTicker(time.Millisecond)
		for range 10 {
			<-ticker.C
			ticks.Add(1)
		}
		ticker.Stop()
		left.Add(-1)
	})
	return tell(int(ticks.Load()), "ticks")
}

// timeForward hands the time from thread to thread: it is never earlier than
// where it came from.
func timeForward() string {
	ring := make([]chan time.Time, threads)
	for i := range ring {
		ring[i] = make(chan time.Time, 1)
	}
	var back atomic.Int64
	ring[0] <- time.Now()
	onThreads(threads, func(number int) {
		for range 300 {
			then, now := <-ring[number], time.Now()
			if now.Before(then) {
				back.Add(1)
			}
			ring[(number+1)%threads] <- now
		}
	})
	return tell(int(back.Load()), "times back")
}

// cpuSet is a set of CPUs as the system has it.
type cpuSet [16]uint64

func (s *cpuSet) has(cpu int) bool { return s[cpu/64]>>(cpu%64)&1 != 0 }

// call makes one of the calls about a thread's CPUs.
func (s *cpuSet) call(number uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(number, 0, unsafe.Sizeof(*s), uintptr(unsafe.Pointer(s)))
	return errno
}

// sysGetcpu is not in package syscall.
const sysGetcpu = 309

// getcpu returns the CPU that the thread runs on.
func getcpu() int {
	var cpu uint32
	syscall.RawSyscall(sysGetcpu, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	return int(cpu)
}

// affinity asks for the CPUs that the program may use: as many as the Go runtime
// says.
func affinity() string {
	var wrong atomic.Int64
	onThreads(threads, func(int) {
		var set cpuSet
		if set.call(syscall.SYS_SCHED_GETAFFINITY) != 0 {
			wrong.Add(1)
		}
		n := 0
		for cpu := range 64 * len(set) {
			if set.has(cpu) {
				n++
			}
		}
		if n != runtime.NumCPU() || !set.has(getcpu()) {
			wrong.Add(1)
		}
	})
	return tell(int(wrong.Load()), "wrong")
}

// ownCPU has each thread go to each CPU that it may use, and to none.
func ownCPU() string {
	var wrong atomic.Int64
	onThreads(threads, func(int) {
		var all cpuSet
		all.call(syscall.SYS_SCHED_GETAFFINITY)
		for cpu := range 64 * len(all) {
			if !all.has(cpu) {
				continue
			}
			var one, got cpuSet
			one[cpu/64] = 1 << (cpu % 64)
			if one.call(syscall.SYS_SCHED_SETAFFINITY) != 0 || getcpu() != cpu ||
				got.call(syscall.SYS_SCHED_GETAFFINITY) != 0 || got != one {
				wrong.Add(1)
			}
		}
		var none cpuSet
		if none.call(syscall.SYS_SCHED_SETAFFINITY) != syscall.EINVAL || all.call(syscall.SYS_SCHED_SETAFFINITY) != 0 {
			wrong.Add(1)
		}
	})
	return tell(int(wrong.Load()), "wrong")
}
