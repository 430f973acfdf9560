package thread

import (
	"syscall"
	"time"
)

// Cond is a condition variable: threads wait at it, holding a mutex, until others
// say that what they wait for may be so. As POSIX allows, a wait may end without
// that: who waits looks again, in a loop.
type Cond struct{ events events }

// Wait unlocks m, however often its holder has locked it, and blocks until Signal or
// Broadcast; then it locks m as before. Unlocking and waiting are one step to all
// who hold m. It fails with EPERM, at once, if the caller does not hold m. It is a
// cancellation point: a thread that is cancelled here holds m when it ends, and
// wakes another in its place.
func (c *Cond) Wait(m *Mutex) error { return c.WaitUntil(m, time.Time{}) }

// WaitUntil is Wait but gives up at a deadline, if that is not zero: ETIMEDOUT.
func (c *Cond) WaitUntil(m *Mutex, deadline time.Time) error {
	t := Self()
	t.testCancel()
	err := c.wait(m, deadline, t)
	if err == errCancelled {
		c.Signal() // which may have been meant for the one that goes
		t.exit(Canceled)
	}
	return err
}

// wait is WaitUntil, cancelled with t if that is not nil.
func (c *Cond) wait(m *Mutex, deadline time.Time, t *Thread) error {
	if !m.mine() {
		return syscall.EPERM
	}
	count, depth := c.events.count.Load(), m.depth
	m.depth = 0
	m.release()
	err := c.events.sleep(count, deadline, t)
	m.acquire(self(), time.Time{})
	m.depth = depth
	return err
}

// Signal wakes at least one of the threads that wait at c, if there are any. It never
// blocks.
func (c *Cond) Signal() { c.events.happen(1) }

// Broadcast wakes all threads that wait at c. It never blocks.
func (c *Cond) Broadcast() { c.events.happen(all) }
