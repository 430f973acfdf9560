// Timers checks sleeping, timers, tickers and deadlines: nothing is early,
// nothing is lost, time never goes back. How late things are is no matter.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

var failed bool

func check(ok bool, format string, args ...any) {
	if !ok {
		failed = true
		fmt.Fprintf(os.Stderr, "timers: "+format+"\n", args...)
	}
}

func main() {
	start := time.Now()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			d := time.Duration(i%7) * 3 * time.Millisecond
			for range 5 {
				began := time.Now()
				time.Sleep(d)
				check(time.Since(began) >= d, "a sleep of %v took %v", d, time.Since(began))
			}
		})
	}
	group.Wait()

	// Each starts the next: the order is certain.
	order := make(chan int, 3)
	time.AfterFunc(2*time.Millisecond, func() {
		order <- 1
		time.AfterFunc(time.Millisecond, func() {
			order <- 2
			time.AfterFunc(0, func() { order <- 3 })
		})
	})
	for want := 1; want <= 3; want++ {
		got := <-order
		check(got == want, "timer %d came as number %d", got, want)
	}

	const period = 2 * time.Millisecond
	began := time.Now()
	ticker := time.NewTicker(period)
	last := began
	for i := 1; i <= 20; i++ {
		at := <-ticker.C
		now := time.Now()
		check(!now.Before(last), "at tick %d time goes back by %v", i, last.Sub(now))
		// The runtime reads the clock twice to say when a tick was due: if the program loses
		// its core in between, that may be too late by as much.
		check(!at.After(now), "tick %d is of a time to come, by %v", i, at.Sub(now))
		check(at.Sub(began) >= time.Duration(i)*period, "tick %d came after %v", i, at.Sub(began))
		last = now
	}
	ticker.Stop()
	ticker.Reset(time.Hour)
	select {
	case <-ticker.C:
		check(false, "a ticker of an hour has ticked")
	case <-time.After(5 * time.Millisecond):
	}

	timer := time.NewTimer(time.Hour)
	check(timer.Stop(), "a timer of an hour had fired")
	check(!timer.Reset(time.Millisecond), "a stopped timer was active")
	<-timer.C
	check(!timer.Stop(), "a timer that fired was active")

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Millisecond)
	<-ctx.Done()
	check(errors.Is(ctx.Err(), context.DeadlineExceeded), "the context ended by %v", ctx.Err())
	cancel()

	r, w, err := os.Pipe()
	check(err == nil, "pipe: %v", err)
	began = time.Now()
	check(r.SetReadDeadline(began.Add(4*time.Millisecond)) == nil, "a pipe takes no deadline")
	_, err = r.Read(make([]byte, 1))
	check(errors.Is(err, os.ErrDeadlineExceeded) && time.Since(began) >= 4*time.Millisecond,
		"a read with a deadline ended after %v by %v", time.Since(began), err)
	r.SetReadDeadline(time.Time{})
	go func() {
		time.Sleep(2 * time.Millisecond)
		w.Write([]byte{7})
	}()
	b := make([]byte, 2)
	n, err := r.Read(b)
	check(n == 1 && b[0] == 7 && err == nil, "read %d bytes, %v", n, err)

	year := time.Now().Year()
	check(year >= 2024 && year < 2200, "it is the year %d", year)
	check(time.Since(start) > 0, "time stands still")
	wall := time.Now().Round(0).Sub(start.Round(0))
	check(wall > 0, "the wall clock went back by %v", wall)
	if failed {
		os.Exit(1)
	}
}
