package main

import (
	"math/bits"
	"unsafe"

	"skerry/abi/linux"
	"skerry/carrier"
)

const (
	nanosecond  = 1
	microsecond = 1000 * nanosecond
	millisecond = 1000 * microsecond
	second      = 1000 * millisecond

	// farFuture is a deadline that never comes.
	farFuture = 1<<63 - 1
)

// clocks is what the libos keeps about time.
var clocks struct {
	started  int64 // when the domain started
	parkedAt int64 // when it parked, 0 if it has not
	idle     int64 // how long it has been parked
	armed    int64 // the wake-up time the CPU driver has been asked for, 0 none
	turn     int64 // how long the running thread's turn is
	turnEnds int64 // when it ends, 0 if nobody waits
}

// now returns monotonic time: nanoseconds since the machine's boot.
func now() int64 {
	c := &dispatcher().Clock
	high, low := bits.Mul64(readTSC()-c.Base, c.Mul)
	return int64(high<<32 | low>>32)
}

// cpuTime returns how long the domain has not been parked: its processor time
// as far as it can tell.
func cpuTime() int64 {
	t := now()
	busy := t - clocks.started - clocks.idle
	if spanned.on {
		busy += spanned.frame.Busy(t)
	}
	return busy
}

// arm asks the CPU driver for a run upcall when the next deadline passes or
// the running thread's turn ends, unless it will come early enough anyhow.
func arm() {
	want := threads.NextDeadline()
	if t := nextTimer(); t != 0 && (want == 0 || t < want) {
		want = t
	}
	if threads.HasReady() {
		if clocks.turnEnds == 0 {
			clocks.turnEnds = after(clocks.turn)
		}
		if want == 0 || clocks.turnEnds < want {
			want = clocks.turnEnds
		}
	}
	if want != 0 && (clocks.armed == 0 || want < clocks.armed) {
		clocks.armed = want
		wakeup(want)
	}
}

// toTimespec splits a time.
func toTimespec(ns int64) linux.Timespec {
	sec := ns / second
	return linux.Timespec{Sec: sec, Nsec: ns - sec*second}
}

// fromTimespec is the inverse; it returns false for what is no duration.
func fromTimespec(t *linux.Timespec) (ns int64, ok bool) {
	if t.Sec < 0 || t.Nsec < 0 || t.Nsec >= second {
		return 0, false
	}
	if t.Sec >= farFuture/second-1 {
		return farFuture, true
	}
	return t.Sec*second + t.Nsec, true
}

// after returns the deadline that comes a duration after now.
func after(ns int64) int64 {
	t := now()
	if ns > farFuture-t {
		return farFuture
	}
	return t + ns
}

// readClock returns what a clock shows; false if there is no such clock.
func readClock(clock uint64) (ns int64, ok bool) {
	switch clock {
	case linux.CLOCK_REALTIME, linux.CLOCK_REALTIME_COARSE, linux.CLOCK_TAI:
		return now() + dispatcher().Clock.Real, true
	case linux.CLOCK_MONOTONIC, linux.CLOCK_MONOTONIC_RAW, linux.CLOCK_MONOTONIC_COARSE, linux.CLOCK_BOOTTIME:
		return now(), true
	case linux.CLOCK_PROCESS_CPUTIME_ID, linux.CLOCK_THREAD_CPUTIME_ID:
		return cpuTime(), true
	}
	return 0, false
}

// deadlineOn turns an absolute time on a clock into monotonic time.
func deadlineOn(clock uint64, ns int64) int64 {
	if clock == linux.CLOCK_REALTIME || clock == linux.CLOCK_TAI {
		ns -= dispatcher().Clock.Real
	}
	return max(ns, 1) // 0 would be no deadline
}

func callClockGettime(th *carrier.Thread) int64 {
	ns, ok := readClock(th.Regs.RDI)
	if !ok {
		return -linux.EINVAL
	}
	return putTimespec(th.Regs.RSI, ns)
}

func callClockGetres(th *carrier.Thread) int64 {
	if _, ok := readClock(th.Regs.RDI); !ok {
		return -linux.EINVAL
	}
	if th.Regs.RSI == 0 {
		return 0
	}
	return putTimespec(th.Regs.RSI, 1)
}

func putTimespec(address uint64, ns int64) int64 {
	if !writable(address, 16) {
		return -linux.EFAULT
	}
	*at[linux.Timespec](address) = toTimespec(ns)
	return 0
}

func callGettimeofday(th *carrier.Thread) int64 {
	ns, _ := readClock(linux.CLOCK_REALTIME)
	if address := th.Regs.RDI; address != 0 {
		if !writable(address, 16) {
			return -linux.EFAULT
		}
		t := toTimespec(ns)
		*at[linux.Timeval](address) = linux.Timeval{Sec: t.Sec, Usec: t.Nsec / microsecond}
	}
	if address := th.Regs.RSI; address != 0 { // the time zone: UTC
		if !writable(address, 8) {
			return -linux.EFAULT
		}
		*at[uint64](address) = 0
	}
	return 0
}

func callTime(th *carrier.Thread) int64 {
	ns, _ := readClock(linux.CLOCK_REALTIME)
	if address := th.Regs.RDI; address != 0 {
		if !writable(address, 8) {
			return -linux.EFAULT
		}
		*at[int64](address) = ns / second
	}
	return ns / second
}

func callNanosleep(th *carrier.Thread) int64 {
	return sleep(th, linux.CLOCK_MONOTONIC, 0, th.Regs.RDI)
}

func callClockNanosleep(th *carrier.Thread) int64 {
	switch clock := th.Regs.RDI; clock {
	case linux.CLOCK_REALTIME, linux.CLOCK_MONOTONIC, linux.CLOCK_BOOTTIME, linux.CLOCK_TAI:
		return sleep(th, clock, th.Regs.RSI, th.Regs.RDX)
	}
	return -linux.EINVAL
}

// sleep blocks a thread for the time at the address. A sleep that a signal cuts
// short does not say what was left.
func sleep(th *carrier.Thread, clock, flags, address uint64) int64 {
	var t linux.Timespec
	if errno := fetch(addressOf(&t), address, uint64(unsafe.Sizeof(t))); errno != 0 {
		return errno
	}
	ns, ok := fromTimespec(&t)
	if !ok {
		return -linux.EINVAL
	}
	deadline := int64(0)
	if flags&linux.TIMER_ABSTIME != 0 {
		deadline = deadlineOn(clock, ns)
	} else {
		deadline = after(ns)
	}
	th.Expired = 0
	th.Regs.RAX = 0
	threads.Block(0, 0, deadline)
	return switched
}
