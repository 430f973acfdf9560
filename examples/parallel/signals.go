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
	{"signals-restart-calls", signalsRestart},
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

// signalsRestart sends signals to threads that read from pipes in which nothing comes
// for a while. The handler asks for calls to be made again, so none of them fails.
func signalsRestart() string {
	const signals = 40
	got := make(chan os.Signal, threads*signals)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	var ids [threads]atomic.Int64
	var pipes [threads][2]int
	for i := range pipes {
		if err := syscall.Pipe(pipes[i][:]); err != nil {
			return err.Error()
		}
		defer syscall.Close(pipes[i][0])
		defer syscall.Close(pipes[i][1])
	}
	var came, failed atomic.Int64
	onThreads(threads, func(number int) {
		if number != 0 {
			ids[number].Store(int64(syscall.Gettid()))
			var b [1]byte
			if n, err := syscall.Read(pipes[number][0], b[:]); n == 1 && err == nil {
				came.Add(int64(b[0]))
			} else {
				failed.Add(1)
			}
			return
		}
		for range signals {
			for to := 1; to < threads; to++ {
				for ids[to].Load() == 0 {
					runtime.Gosched()
				}
				tgkill(int(ids[to].Load()), syscall.SIGUSR1)
				<-got // so that the handler has begun
			}
		}
		for to := 1; to < threads; to++ {
			syscall.Write(pipes[to][1], []byte{byte(to)})
		}
	})
	return tell(int(came.Load()), "is the sum of what came, ") + tell(int(failed.Load()), "failed")
}
