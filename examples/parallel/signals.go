package main

import (
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
)

// signalCases send signals to threads that are about other things.
var signalCases = []parallelCase{
	{"signals-to-the-process", signalProcess},
	{"signals-to-spinning-threads", signalThreads},
	{"signals-all-at-once", signalsAtOnce},
	{"signal-ignored-and-back", signalIgnored},
}

// signalProcess sends the process one signal after the other while threads spin.
func signalProcess() string {
	const rounds = 10
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	received := 0
	var stop atomic.Bool
	onThreads(threads, func(number int) {
		if number != 0 {
			for !stop.Load() {
			}
			return
		}
		for range rounds {
			syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
			if <-got == syscall.SIGUSR1 {
				received++
			}
		}
		stop.Store(true)
	})
	return tell(received, "received")
}

// signalThreads sends signals to each of some threads that spin.
func signalThreads() string {
	const rounds = 3
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR2)
	defer signal.Stop(got)
	var ids [threads]atomic.Int64
	var stop atomic.Bool
	received, refused := 0, 0
	onThreads(threads, func(number int) {
		ids[number].Store(int64(syscall.Gettid()))
		if number != 0 {
			for !stop.Load() {
			}
			return
		}
		for range rounds {
			for to := range ids {
				for ids[to].Load() == 0 {
					runtime.Gosched()
				}
				if tgkill(int(ids[to].Load()), syscall.SIGUSR2) != 0 {
					refused++
				}
				<-got
				received++
			}
		}
		stop.Store(true)
	})
	if tgkill(1<<30, syscall.SIGUSR2) != syscall.ESRCH {
		refused = -1
	}
	return tell(received, "received, ") + tell(refused, "refused")
}

// tgkill sends a signal to a thread of this process.
func tgkill(thread int, s syscall.Signal) syscall.Errno {
	_, _, errno := syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(thread), uintptr(s))
	return errno
}

// signalsAtOnce has all threads send a signal of their own to the process, which
// receives each at least once.
func signalsAtOnce() string {
	numbers := [threads]syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGWINCH, syscall.SIGALRM}
	var received atomic.Int64
	onThreads(threads, func(number int) {
		got := make(chan os.Signal, 1)
		signal.Notify(got, numbers[number])
		defer signal.Stop(got)
		for range 20 {
			syscall.Kill(syscall.Getpid(), numbers[number])
			if <-got == numbers[number] {
				received.Add(1)
			}
		}
	})
	return tell(int(received.Load()), "received")
}

// signalIgnored changes what becomes of a signal on one thread and sends it from
// another at once: the change has been made for all threads when it is done.
func signalIgnored() string {
	order := make(chan bool)
	next := make(chan bool)
	got := make(chan os.Signal, 1)
	received := 0
	onThreads(2, func(number int) {
		for range 30 {
			if number == 0 {
				signal.Ignore(syscall.SIGTERM)
				order <- true
				<-next
				signal.Notify(got, syscall.SIGTERM)
				order <- true
				<-next
				<-got
				received++
				signal.Stop(got)
				continue
			}
			for range 2 {
				<-order
				syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
				next <- true
			}
		}
	})
	signal.Reset(syscall.SIGTERM)
	return tell(received, "received, others ignored")
}
