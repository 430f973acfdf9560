package thread

import (
	"syscall"
	"testing"
	"time"
)

// TestCancellation cancels a thread in every cancellation point, while it sleeps there and
// before.
func TestCancellation(t *testing.T) {
	var m Mutex
	var c Cond
	var s, forever Semaphore
	other := begin(t, func() any { forever.Wait(); return nil })
	points := map[string]struct {
		wait   func()
		asleep *events // what it sleeps for; nil if it does not
	}{
		"TestCancel":          {TestCancel, nil},
		"Sleep":               {func() { Sleep(time.Hour) }, new(events)},
		"Semaphore.Wait":      {func() { s.Wait() }, &s.events},
		"Semaphore.WaitUntil": {func() { s.WaitUntil(time.Now().Add(time.Hour)) }, &s.events},
		"Cond.Wait":           {func() { m.Lock(); c.Wait(&m) }, &c.events},
		"Cond.WaitUntil":      {func() { m.Lock(); c.WaitUntil(&m, time.Now().Add(time.Hour)) }, &c.events},
		"Join":                {func() { other.Join() }, &other.ends},
	}
	for name, p := range points {
		for _, before := range []bool{true, false} {
			if !before && p.asleep == nil {
				continue
			}
			cleaned := false
			var gate Semaphore
			th := begin(t, func() any {
				PushCleanup(func() {
					cleaned = true
					if m.mine() {
						m.Unlock()
					}
				})
				was := EnableCancel(false)
				gate.Wait() // no cancellation point while it is disabled
				EnableCancel(was)
				p.wait()
				return "not cancelled"
			})
			if before {
				sleeping(&gate.events, 1)
				th.Cancel()
				gate.Post()
			} else {
				gate.Post()
				until(func() bool { e := th.asleep.Load(); return e != nil && e != &gate.events })
				th.Cancel()
			}
			if got, err := th.Join(); got != Canceled || err != nil || !cleaned {
				t.Errorf("%s, cancelled before is %v: %v, %v, cleaned %v", name, before, got, err, cleaned)
			}
			th.Cancel() // nobody minds
		}
	}
	if !m.mine() && m.TryLock() != nil {
		t.Error("the mutex was left locked")
	}
	forever.Post()
	join(t, other, nil) // those who were cancelled have not joined it
	_, err := SetCancelType(Asynchronous)
	expect(t, "asynchronous cancellation", err, syscall.ENOTSUP)
	_, err = SetCancelType(9)
	expect(t, "no such type", err, syscall.EINVAL)
	before, err := SetCancelType(Deferred)
	expect(t, "deferred cancellation", err, nil)
	if before != Deferred || EnableCancel(true) {
		t.Error("a goroutine can be cancelled")
	}
}

// TestCancelKeepsSignal: a signal that wakes a thread that is being cancelled is not
// lost to others.
func TestCancelKeepsSignal(t *testing.T) {
	var m Mutex
	var c Cond
	for range 200 {
		tickets := 0
		wait := func() any {
			m.Lock()
			PushCleanup(func() { m.Unlock() })
			for tickets == 0 {
				c.Wait(&m)
			}
			tickets--
			PopCleanup(true)
			return 1
		}
		a, b := begin(t, wait), begin(t, wait)
		sleeping(&c.events, 2)
		m.Lock()
		tickets = 1
		m.Unlock()
		c.Signal()
		a.Cancel()
		got, _ := a.Join()
		if got == 1 {
			m.Lock()
			tickets = 1
			m.Unlock()
			c.Signal()
		}
		join(t, b, 1)
	}
}

// TestCancelPassesSignal: a thread that is cancelled, but woken by a signal before
// Cancel could wake all, wakes another in its place.
func TestCancelPassesSignal(t *testing.T) {
	var m Mutex
	var c Cond
	ticket := false
	wait := func() any {
		m.Lock()
		PushCleanup(func() { m.Unlock() })
		for !ticket {
			c.Wait(&m)
		}
		ticket = false
		PopCleanup(true)
		return 1
	}
	a := begin(t, wait)
	sleeping(&c.events, 1)
	b := begin(t, wait)
	sleeping(&c.events, 2)
	m.Lock()
	ticket = true
	m.Unlock()
	a.cancelled.Store(true) // the first half of Cancel
	c.Signal()
	join(t, b, 1)
	a.Cancel()
	join(t, a, Canceled)
}

// TestEvents: what happens between a look and the sleep that follows ends the sleep.
func TestEvents(t *testing.T) {
	var e events
	count := e.count.Load()
	e.happen(1)
	expect(t, "slept for what has happened", e.sleep(count, time.Now().Add(time.Second), nil), nil)
	expect(t, "slept for nothing", e.sleep(e.count.Load(), soon(), nil), syscall.ETIMEDOUT)
}

func TestSleep(t *testing.T) {
	for _, sleep := range []func(time.Duration){Sleep, func(d time.Duration) {
		join(t, begin(t, func() any { Sleep(d); return nil }), nil)
	}} {
		began := time.Now()
		sleep(20 * time.Millisecond)
		if d := time.Since(began); d < 20*time.Millisecond {
			t.Errorf("slept %v", d)
		}
	}
}
