package stub

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of a call at its server. It costs little as long as
// nobody waits for its end.
type callContext struct {
	context.Context // the connection's
	deadline        time.Time

	mu    sync.Mutex
	err   error
	done  chan struct{} // made by the first call of Done
	stop  func() bool   // takes back what waits for the connection's end
	timer *time.Timer
}

// newContext makes the context of a call that may take so many microseconds, 0: any.
func newContext(parent context.Context, us uint32) *callContext {
	c := &callContext{Context: parent}
	if us != 0 {
		c.deadline = time.Now().Add(time.Duration(us) * time.Microsecond)
	}
	return c
}

func (c *callContext) Deadline() (time.Time, bool) {
	outer, ok := c.Context.Deadline()
	if c.deadline.IsZero() || ok && outer.Before(c.deadline) {
		return outer, ok
	}
	return c.deadline, true
}

func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil {
		return c.done
	}
	c.done = make(chan struct{})
	if c.err != nil {
		close(c.done)
		return c.done
	}
	c.stop = context.AfterFunc(c.Context, func() { c.end(c.Context.Err()) })
	if !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.end(context.DeadlineExceeded) })
	}
	return c.done
}

func (c *callContext) Err() error {
	if err := c.Context.Err(); err != nil {
		c.end(err)
	} else if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end ends the context, if nothing has yet.
func (c *callContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.done == nil {
		return
	}
	close(c.done)
	c.stop()
	if c.timer != nil {
		c.timer.Stop()
	}
}
