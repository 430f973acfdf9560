package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"skerry/lib/thread"
)

// urgent makes a thread with a fixed priority.
func urgent(priority int, start func() any) (*thread.Thread, error) {
	return thread.Create(start, &thread.Attributes{
		Name: fmt.Sprint("priority ", priority), Schedule: &thread.Schedule{Policy: thread.FIFO, Priority: priority},
	})
}

// priority has threads of several priorities wait for the same: on one core, the
// most urgent gets it first.
func priority() (string, error) {
	var ready, gate, done thread.Semaphore
	var order []int
	priorities := []int{10, 30, 20}
	var threads []*thread.Thread
	for _, p := range priorities {
		t, err := urgent(p, func() any {
			ready.Post()
			gate.Wait()
			order = append(order, p)
			done.Post()
			mine, _ := thread.Self().Schedule()
			return mine
		})
		if err != nil {
			return "", err
		}
		threads = append(threads, t)
		ready.Wait()
		// It is above this one: where there is one core it runs until it waits.
		if err := t.SetSchedule(thread.Schedule{Policy: thread.RoundRobin, Priority: p}); err != nil {
			return "", err
		}
	}
	for range threads {
		gate.Post()
		done.Wait()
	}
	for i, t := range threads {
		want := thread.Schedule{Policy: thread.RoundRobin, Priority: priorities[i]}
		if got, err := t.Join(); err != nil || got != want {
			return "", fmt.Errorf("scheduled by %v, %v, want %v", got, err, want)
		}
	}
	if runtime.NumCPU() > 1 {
		slices.Sort(order) // each core looks to its own threads
		slices.Reverse(order)
	}
	if !slices.Equal(order, []int{30, 20, 10}) {
		return "", fmt.Errorf("the order is %v", order)
	}
	return "the most urgent came first", nil
}

// preemption wakes a thread that is more urgent than this one: on one core it has
// run when waking it returns.
func preemption() (string, error) {
	const rounds = 50
	var gate thread.Semaphore
	var ran atomic.Int32
	t, err := urgent(50, func() any {
		for range rounds {
			gate.Wait()
			ran.Add(1)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	atOnce := 0
	for n := range int32(rounds) {
		gate.Post()
		if ran.Load() == n+1 {
			atOnce++
		}
		for ran.Load() != n+1 {
			thread.Yield()
		}
	}
	if _, err := t.Join(); err != nil {
		return "", err
	}
	// A collection may come between.
	if runtime.NumCPU() == 1 && atOnce < rounds/2 {
		return "", fmt.Errorf("%d times of %d", atOnce, rounds)
	}
	return "a more urgent thread ran as soon as it was woken", nil
}

// yield has threads take turns.
func yield() (string, error) {
	const threads, turns = 3, 200
	var turn atomic.Int32
	if err := gang(threads, func(i int) {
		for n := range int32(turns) {
			for turn.Load() != n*threads+int32(i) {
				thread.Yield()
			}
			turn.Add(1)
		}
	}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d threads took %d turns each", threads, turns), nil
}
