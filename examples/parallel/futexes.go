package main

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// futexCases use the call itself.
var futexCases = []parallelCase{
	{"futex-pingpong", futexPingPong},
	{"futex-wakes-as-many", futexWakesAsMany},
	{"futex-requeue", futexRequeue},
	{"futex-bits", futexBits},
	{"futex-timeout", futexTimeout},
	{"futex-errors", futexErrors},
	{"futex-refused-races", futexRefusedRaces},
}

// Operations of futex, all private to the process.
const (
	wait       = 0 | 128
	wake       = 1 | 128
	cmpRequeue = 4 | 128
	waitBits   = 9 | 128
	wakeBits   = 10 | 128

	everyone = 1 << 30
	allBits  = 1<<32 - 1
)

// futex makes the call. A wait that anything interrupts is to be made again.
func futex(word *atomic.Uint32, operation, value int, timeout *syscall.Timespec, bits uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), uintptr(operation), uintptr(value),
		uintptr(unsafe.Pointer(timeout)), 0, bits)
	return int(n), errno
}

// requeue wakes one thread that waits on a word and moves all others to another
// word, if the first has a value. It returns how many these are together.
func requeue(from, to *atomic.Uint32, value int) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(from)), cmpRequeue, 1, everyone,
		uintptr(unsafe.Pointer(to)), uintptr(value))
	return int(n), errno
}

// futexPingPong has two threads wake each other in turn.
func futexPingPong() string {
	const rounds = 2000
	var turn atomic.Uint32 // even: the first one's
	onThreads(2, func(number int) {
		for range rounds {
			for now := turn.Load(); int(now%2) != number; now = turn.Load() {
				futex(&turn, wait, int(now), nil, 0)
			}
			turn.Add(1)
			futex(&turn, wake, 1, nil, 0)
		}
	})
	return tell(int(turn.Load()), "turns")
}

// waiters starts so many threads that wait on a word until it is not 0, and calls
// what is to happen then. The threads that came out are counted in out.
func waiters(n int, word *atomic.Uint32, out *atomic.Int64, then func()) {
	onThreads(n+1, func(number int) {
		if number == n {
			then()
			return
		}
		for word.Load() == 0 {
			if _, errno := futex(word, wait, 0, nil, 0); errno == 0 {
				break
			}
		}
		out.Add(1)
	})
}

// wakeExactly wakes n threads in all, at most most at a time, as they come to
// wait, and says whether a wake-up ever claimed more than it was allowed.
func wakeExactly(word *atomic.Uint32, n, most int) (tooMany bool) {
	for woken := 0; woken < n; {
		got, _ := futex(word, wake, min(most, n-woken), nil, 0)
		tooMany = tooMany || got > min(most, n-woken)
		woken += got
	}
	return tooMany
}

// futexWakesAsMany wakes waiting threads two at a time: each wake-up that is
// counted lets one thread out, no more and no less.
func futexWakesAsMany() string {
	wrong := 0
	for range 20 {
		var word atomic.Uint32
		var out atomic.Int64
		waiters(threads, &word, &out, func() {
			if wakeExactly(&word, threads, 2) {
				wrong++
			}
		})
		if out.Load() != threads {
			wrong++
		}
	}
	return tell(wrong, "rounds in which not as many came as were woken")
}

// futexRequeue moves threads from one word to another, where they are woken.
func futexRequeue() string {
	moved, wrong := 0, 0
	for range 20 {
		var first, second atomic.Uint32
		var out atomic.Int64
		waiters(threads, &first, &out, func() {
			for here := 0; here < threads; {
				n, errno := requeue(&first, &second, 0)
				if errno != 0 {
					wrong++
					return
				}
				here += n
			}
			moved++
			if _, errno := requeue(&first, &second, 1); errno != syscall.EAGAIN {
				wrong++
			}
			for out.Load() < threads {
				futex(&second, wake, everyone, nil, 0)
				futex(&first, wake, everyone, nil, 0) // for one that a signal sent back
			}
		})
	}
	return tell(moved, "times moved, ") + tell(wrong, "wrong")
}

// futexBits wakes threads by bits, one bit each, in the order of the bits.
func futexBits() string {
	const n = 4
	var word, next atomic.Uint32
	var order [n]byte
	onThreads(n+1, func(number int) {
		if number < n {
			for {
				if _, errno := futex(&word, waitBits, 0, nil, 1<<number); errno == 0 {
					break
				}
			}
			order[next.Add(1)-1] = byte('a' + number)
			return
		}
		for bit := range uint32(n) {
			for got := 0; got == 0; {
				got, _ = futex(&word, wakeBits, everyone, nil, 1<<bit)
			}
			for next.Load() == bit {
			}
		}
	})
	return "woken " + string(order[:])
}

// futexTimeout has threads wait in vain, some for a time, some until a time.
func futexTimeout() string {
	const duration = 5 * time.Millisecond
	var early, wrong atomic.Int64
	onThreads(threads, func(number int) {
		var word atomic.Uint32
		for range 5 {
			began := time.Now()
			operation, t := wait, syscall.NsecToTimespec(int64(duration))
			if number%2 == 1 {
				var now syscall.Timespec
				syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0)
				operation, t = waitBits, syscall.NsecToTimespec(now.Nano()+int64(duration))
			}
			_, errno := futex(&word, operation, 0, &t, allBits)
			switch {
			case errno == syscall.EINTR:
			case errno != syscall.ETIMEDOUT:
				wrong.Add(1)
			case time.Since(began) < duration:
				early.Add(1)
			}
		}
	})
	return tell(int(wrong.Load()), "other ends than that of the time, ") + tell(int(early.Load()), "early")
}

// zero is a word that stays where it is, and 0.
var zero atomic.Uint32

// refused is a call that is made in vain, and how it ends.
type refused struct {
	name                       string
	at, operation, value, bits uintptr
	want                       syscall.Errno
}

// make makes the call, and says how it ended if that is wrong.
func (r refused) make() string {
	n, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, r.at, r.operation, r.value, 0, 0, r.bits)
	if errno == r.want && (errno != 0 || n == 0) {
		return ""
	}
	return fmt.Sprintf(", %s gave %d and error %d", r.name, int(n), int(errno))
}

// futexErrors has each thread make calls that are refused, and one that finds
// nobody.
func futexErrors() string {
	const nowhere = 0x1000 // programs are never that low
	at := uintptr(unsafe.Pointer(&zero))
	calls := []refused{
		{"a wait for another value", at, wait, 1, 0, syscall.EAGAIN},
		{"a wait for half a word", at + 1, wait, 0, 0, syscall.EINVAL},
		{"a wait nowhere", nowhere, wait, 0, 0, syscall.EFAULT},
		{"a wait at nil", 0, wait, 0, 0, syscall.EFAULT},
		{"a wait for no bits", at, waitBits, 0, 0, syscall.EINVAL},
		{"a requeue of less than none", at, cmpRequeue, ^uintptr(0), 0, syscall.EINVAL},
		{"a wake", at, wake, 1, 0, 0},
		{"a wake at nil", 0, wake, everyone, 0, 0},
	}
	return refuse(1, calls)
}

// futexRefusedRaces has waits that are refused race wake-ups: who never sleeps
// takes no wake-up, and is not counted as woken.
func futexRefusedRaces() string {
	at := uintptr(unsafe.Pointer(&zero))
	return refuse(2000, []refused{
		{"a wait for another value", at, wait, 1, 0, syscall.EAGAIN},
		{"a wake", at, wake, 1, 0, 0},
	})
}

// refuse has each thread make calls so many times, and tells which were not
// refused as they should be.
func refuse(times int, calls []refused) string {
	var wrong atomic.Int64
	var first atomic.Pointer[string]
	onThreads(threads, func(int) {
		for range times {
			for _, call := range calls {
				if how := call.make(); how != "" {
					wrong.Add(1)
					first.CompareAndSwap(nil, &how)
				}
			}
		}
	})
	if how := first.Load(); how != nil {
		return tell(int(wrong.Load()), "wrong") + *how
	}
	return tell(int(wrong.Load()), "wrong")
}
