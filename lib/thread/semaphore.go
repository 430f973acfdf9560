package thread

import (
	"math"
	"sync/atomic"
	"syscall"
	"time"
)

// SemaphoreMax is the largest value of a semaphore.
const SemaphoreMax = math.MaxInt32

// Semaphore is a number that is never below 0. Its zero value is 0.
type Semaphore struct {
	value  atomic.Uint32
	events events
}

// NewSemaphore returns a semaphore with a value. It fails with EINVAL if that is
// above SemaphoreMax.
func NewSemaphore(value uint32) (*Semaphore, error) {
	if value > SemaphoreMax {
		return nil, syscall.EINVAL
	}
	s := new(Semaphore)
	s.value.Store(value)
	return s, nil
}

// take takes 1 off unless the value is 0.
func (s *Semaphore) take() bool {
	for {
		v := s.value.Load()
		if v == 0 {
			return false
		}
		if s.value.CompareAndSwap(v, v-1) {
			return true
		}
	}
}

// Wait takes 1 off the value and blocks until it can. It is a cancellation point.
func (s *Semaphore) Wait() error { return s.WaitUntil(time.Time{}) }

// WaitUntil is Wait but gives up at a deadline, if that is not zero: ETIMEDOUT.
func (s *Semaphore) WaitUntil(deadline time.Time) error {
	t := Self()
	t.testCancel()
	err := s.events.await(s.take, deadline, t)
	if err == errCancelled {
		t.exit(Canceled)
	}
	return err
}

// TryWait takes 1 off the value if it can at once, else it fails with EAGAIN. It is
// no cancellation point.
func (s *Semaphore) TryWait() error {
	if !s.take() {
		return syscall.EAGAIN
	}
	return nil
}

// Post adds 1 to the value and wakes a thread that waits. It never blocks. It fails
// with EOVERFLOW at SemaphoreMax.
func (s *Semaphore) Post() error {
	for {
		v := s.value.Load()
		if v == SemaphoreMax {
			return syscall.EOVERFLOW
		}
		if s.value.CompareAndSwap(v, v+1) {
			break
		}
	}
	s.events.happen(1)
	return nil
}

// Value returns the value at some time during the call.
func (s *Semaphore) Value() int { return int(s.value.Load()) }
