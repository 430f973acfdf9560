package thread

import (
	"sync/atomic"
	"syscall"
	"time"
)

// events is something that happens again and again and that threads wait for: an
// event count. Who waits reads count, then looks whether it must wait, then
// sleeps until count is another. So nothing that happens in between is missed.
type events struct {
	count   atomic.Uint32 // of what happened, and of cancellations
	waiters atomic.Uint32
}

// happen wakes at most n of those that sleep.
func (e *events) happen(n int) {
	// The order matters: a sleeper counts itself, then compares count.
	e.count.Add(1)
	if e.waiters.Load() != 0 {
		wake(&e.count, n)
	}
}

// errCancelled says that the sleeping thread must end.
const errCancelled = syscall.ECANCELED

// sleep blocks while count is the only one that happened, or until it is woken or
// the deadline passes, if that is not zero: ETIMEDOUT. If t, which is the caller or
// nil, has been cancelled it returns errCancelled.
func (e *events) sleep(count uint32, deadline time.Time, t *Thread) error {
	e.waiters.Add(1)
	defer e.waiters.Add(^uint32(0))
	if t == nil {
		return wait(&e.count, count, deadline)
	}
	// The order matters: Cancel says that it did, then looks for this.
	t.asleep.Store(e)
	defer t.asleep.Store(nil)
	var err error
	if !t.mustEnd() {
		err = wait(&e.count, count, deadline)
	}
	if t.mustEnd() {
		return errCancelled
	}
	return err
}

// await blocks until ready returns true, which it may ask often and does before
// all else, or fails as sleep does.
func (e *events) await(ready func() bool, deadline time.Time, t *Thread) error {
	for {
		count := e.count.Load()
		if ready() {
			return nil
		}
		if err := e.sleep(count, deadline, t); err != nil {
			if ready() {
				return nil
			}
			return err
		}
	}
}
