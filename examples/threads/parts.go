package main

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"skerry/lib/thread"
)

// join sums in threads and takes what they leave, once.
func join() (string, error) {
	const threads, each = 4, 1000
	var gang []*thread.Thread
	for i := range threads {
		t, err := thread.Create(func() any {
			sum := 0
			for n := range each {
				sum += i*each + n
			}
			return sum
		}, &thread.Attributes{Name: fmt.Sprint("adder ", i)})
		if err != nil {
			return "", err
		}
		gang = append(gang, t)
	}
	sum := 0
	for _, t := range gang {
		part, err := t.Join()
		if err != nil {
			return "", err
		}
		sum += part.(int)
	}
	if _, err := gang[0].Join(); err != syscall.EINVAL {
		return "", fmt.Errorf("a thread was joined twice: %v", err)
	}
	if want := threads * each * (threads*each - 1) / 2; sum != want {
		return "", fmt.Errorf("the sum is %d, want %d", sum, want)
	}
	return fmt.Sprintf("%d threads left parts of %d", threads, sum), nil
}

// mutex counts in threads that exclude each other, and misuses mutexes of all kinds.
func mutex() (string, error) {
	const threads, each = 4, 5000
	var m thread.Mutex
	count := 0
	if err := gang(threads, func(int) {
		for range each {
			m.Lock()
			count++
			m.Unlock()
		}
	}); err != nil {
		return "", err
	}
	if count != threads*each {
		return "", fmt.Errorf("counted to %d, want %d", count, threads*each)
	}
	check := thread.Mutex{Kind: thread.ErrorCheck}
	again := thread.Mutex{Kind: thread.Recursive}
	var strange error
	check.Lock()
	again.Lock()
	if err := gang(1, func(int) { strange = check.Unlock() }); err != nil {
		return "", err
	}
	switch {
	case check.Lock() != syscall.EDEADLK, check.TryLock() != syscall.EBUSY, strange != syscall.EPERM:
		return "", errors.New("a mutex does not check errors")
	case again.Lock() != nil, again.Unlock() != nil, again.Unlock() != nil, again.Unlock() != syscall.EPERM:
		return "", errors.New("a mutex is not recursive")
	}
	return fmt.Sprintf("%d threads counted to %d; misuse is an error", threads, count), nil
}

// condition passes numbers from one thread to another, one at a time.
func condition() (string, error) {
	const numbers = 1000
	var m thread.Mutex
	var changed thread.Cond
	box, full, sum := 0, false, 0
	if err := gang(2, func(i int) {
		m.Lock()
		defer m.Unlock()
		for n := range numbers {
			for full != (i == 1) {
				changed.Wait(&m)
			}
			if full {
				sum += box
			} else {
				box = n
			}
			full = !full
			changed.Signal()
		}
	}); err != nil {
		return "", err
	}
	if want := numbers * (numbers - 1) / 2; sum != want {
		return "", fmt.Errorf("the numbers sum to %d, want %d", sum, want)
	}
	m.Lock()
	defer m.Unlock()
	if err := changed.WaitUntil(&m, time.Now().Add(time.Millisecond)); err != syscall.ETIMEDOUT {
		return "", fmt.Errorf("a wait for nothing: %v", err)
	}
	return fmt.Sprintf("%d numbers went through one place", numbers), nil
}

// semaphore lets two of many in at a time.
func semaphore() (string, error) {
	const room, threads = 2, 6
	s, err := thread.NewSemaphore(room)
	if err != nil {
		return "", err
	}
	var m thread.Mutex
	inside, most := 0, 0
	note := func(change int) {
		m.Lock()
		defer m.Unlock()
		inside += change
		most = max(most, inside)
	}
	if err := gang(threads, func(int) {
		for range 50 {
			s.Wait()
			note(1)
			thread.Yield()
			note(-1)
			s.Post()
		}
	}); err != nil {
		return "", err
	}
	if most > room || s.Value() != room {
		return "", fmt.Errorf("%d were inside, the value is %d", most, s.Value())
	}
	return fmt.Sprintf("%d threads, never more than %d inside", threads, room), nil
}

// rwlock lets threads read together or one write.
func rwlock() (string, error) {
	var l thread.RWLock
	pair := [2]int{}
	var torn atomic.Bool
	if err := gang(4, func(i int) {
		for range 500 {
			if i == 0 {
				l.Lock()
				pair[0]++
				thread.Yield()
				pair[1]++
			} else {
				l.RLock()
				if pair[0] != pair[1] {
					torn.Store(true)
				}
			}
			l.Unlock()
		}
	}); err != nil {
		return "", err
	}
	if torn.Load() || pair != [2]int{500, 500} {
		return "", fmt.Errorf("a reader saw half of a change: %v", pair)
	}
	return "readers saw nothing half written", nil
}

// barrier keeps threads in step, and has one of them do something once in each step.
func barrier() (string, error) {
	const threads, steps = 4, 20
	b, err := thread.NewBarrier(threads)
	if err != nil {
		return "", err
	}
	var once [steps]thread.Once
	var at [threads]int
	chosen, done, apart := 0, 0, false
	if err := gang(threads, func(i int) {
		for step := range steps {
			at[i] = step
			if b.Wait() {
				chosen++
				for _, s := range at {
					apart = apart || s != step
				}
			}
			once[step].Do(func() { done++ })
			b.Wait()
		}
	}); err != nil {
		return "", err
	}
	if apart || chosen != steps || done != steps {
		return "", fmt.Errorf("out of step: %d chosen, %d done", chosen, done)
	}
	return fmt.Sprintf("%d threads took %d steps together", threads, steps), nil
}

// keys gives threads values of their own, which are destroyed when they end.
func keys() (string, error) {
	var m thread.Mutex
	destroyed := 0
	key := thread.NewKey(func(value any) {
		m.Lock()
		defer m.Unlock()
		destroyed += value.(int)
	})
	var wrong atomic.Bool
	if err := gang(4, func(i int) {
		key.Set(i + 1)
		thread.Yield()
		if key.Get() != i+1 {
			wrong.Store(true)
		}
	}); err != nil {
		return "", err
	}
	if wrong.Load() || destroyed != 1+2+3+4 {
		return "", fmt.Errorf("values got mixed up: destroyed %d", destroyed)
	}
	return "4 threads had values of their own, all destroyed", nil
}

// cancel ends a thread that waits, which cleans up behind it.
func cancel() (string, error) {
	var m thread.Mutex
	var never thread.Cond
	var ready thread.Semaphore
	var steps []string
	t, err := thread.Create(func() any {
		m.Lock()
		thread.PushCleanup(func() {
			steps = append(steps, "unlock")
			m.Unlock()
		})
		thread.EnableCancel(false)
		ready.Post()
		thread.Sleep(time.Millisecond)
		steps = append(steps, "slept")
		thread.EnableCancel(true)
		for {
			never.Wait(&m)
		}
	}, nil)
	if err != nil {
		return "", err
	}
	ready.Wait()
	t.Cancel()
	value, err := t.Join()
	if err != nil || value != thread.Canceled || strings.Join(steps, " ") != "slept unlock" || m.TryLock() != nil {
		return "", fmt.Errorf("the thread left %v, %v after %q", value, err, steps)
	}
	return "a thread ended where it waited, and unlocked", nil
}
