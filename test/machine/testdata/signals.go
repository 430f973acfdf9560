// Signals sends itself signals and checks that each arrives, or does not where
// it is not wanted.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func check(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "signals: "+format+"\n", args...)
		os.Exit(1)
	}
}

func main() {
	c := make(chan os.Signal, 16)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGHUP)
	for i := range 20 {
		want := []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGHUP}[i%3]
		check(syscall.Kill(syscall.Getpid(), want) == nil, "kill failed")
		got := <-c
		check(got == want, "%v came, %v was sent", got, want)
	}
	self, err := os.FindProcess(os.Getpid())
	check(err == nil, "%v", err)
	check(self.Signal(syscall.SIGUSR1) == nil, "signalling failed")
	check(<-c == syscall.SIGUSR1, "the wrong signal came")

	runtime.LockOSThread()
	check(syscall.Tgkill(syscall.Getpid(), syscall.Gettid(), syscall.SIGHUP) == nil, "tgkill failed")
	check(<-c == syscall.SIGHUP, "the wrong signal came")
	runtime.UnlockOSThread()

	signal.Ignore(syscall.SIGUSR2)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR2)
	syscall.Kill(syscall.Getpid(), syscall.SIGURG) // the runtime's own
	syscall.Kill(syscall.Getpid(), syscall.SIGCHLD)
	syscall.Kill(syscall.Getpid(), syscall.SIGWINCH)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
	check(<-c == syscall.SIGUSR1, "a signal that was not asked for came")
	check(len(c) == 0, "%d signals too many", len(c))

	check(syscall.Kill(syscall.Getpid(), 0) == nil, "signal 0 failed")
	check(syscall.Kill(syscall.Getpid(), 65) == syscall.EINVAL, "signal 65 was taken")
	check(syscall.Kill(99999, syscall.SIGTERM) == syscall.ESRCH, "a process that is not there was signalled")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	syscall.Kill(syscall.Getpid(), syscall.SIGINT)
	<-ctx.Done()
	stop()

	// A fault becomes a panic, also while signals go on.
	for range 50 {
		syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
		func() {
			defer func() { check(recover() != nil, "no panic") }()
			var p *int
			*p = 1
		}()
		<-c
	}
}
