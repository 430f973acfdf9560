package thread

import (
	"syscall"
	"time"
)

// canceled is the type of Canceled.
type canceled struct{}

// Canceled is what a thread leaves that ended because it was cancelled.
var Canceled any = canceled{}

// CancelType is when a thread that was cancelled ends.
type CancelType uint8

// The types of cancellation.
const (
	Deferred     CancelType = iota // at its next cancellation point
	Asynchronous                   // at any instruction
)

// Cancel asks the thread to end: it does at its next cancellation point, or at once
// if it sleeps in one, as if it had called Exit(Canceled), unless or until it has
// disabled cancellation. Cancel does not wait for that, and never blocks. Threads that
// have ended do not mind.
func (t *Thread) Cancel() {
	t.cancelled.Store(true)
	if e := t.asleep.Load(); e != nil {
		e.happen(all) // the others sleep again, or have an idle look
	}
}

// mustEnd says whether the calling thread has been cancelled and must heed that.
func (t *Thread) mustEnd() bool { return t.cancelled.Load() && !t.disabled && !t.exiting }

// testCancel is TestCancel in the calling thread, nil if it is none.
func (t *Thread) testCancel() {
	if t != nil && t.mustEnd() {
		t.exit(Canceled)
	}
}

// TestCancel is a cancellation point and nothing else.
func TestCancel() { Self().testCancel() }

// EnableCancel enables cancellation of the calling thread, or disables it, and
// returns what it was. It is enabled at first. A thread that is cancelled meanwhile
// ends when it is enabled again, at the next cancellation point; this is none.
// Goroutines that are no threads cannot be cancelled.
func EnableCancel(enable bool) (before bool) {
	t := Self()
	if t == nil {
		return false
	}
	before = !t.disabled
	t.disabled = !enable
	return before
}

// SetCancelType chooses when the calling thread ends once it is cancelled, and
// returns what was chosen before. Deferred is all there is; Asynchronous fails with
// ENOTSUP: a Go function that stopped between any two instructions would leave locks
// held, and the runtime's structures and what deferred calls rely on half changed.
// POSIX lets such threads call three functions, all about cancellation; no Go code
// can be held to that, since allocating or growing its stack are calls too.
func SetCancelType(t CancelType) (before CancelType, err error) {
	switch t {
	case Deferred:
		return Deferred, nil
	case Asynchronous:
		return Deferred, syscall.ENOTSUP
	}
	return Deferred, syscall.EINVAL
}

// Sleep blocks for a time. It is a cancellation point.
func Sleep(d time.Duration) {
	t := Self()
	t.testCancel()
	if d <= 0 {
		return
	}
	var nothing events
	never := func() bool { return false }
	if nothing.await(never, time.Now().Add(d), t) == errCancelled {
		t.exit(Canceled)
	}
}

// PushCleanup makes f the first of the calling thread's cleanup handlers: they are
// called when the thread ends by Exit or because it is cancelled. Goroutines that are no threads have
// none: it panics.
func PushCleanup(f func()) {
	t := Self()
	t.cleanups = append(t.cleanups, f)
}

// PopCleanup takes the first cleanup handler off, and calls it if call is true. It
// panics if there is none.
func PopCleanup(call bool) {
	if f := Self().pop(); call {
		f()
	}
}

// pop takes the first cleanup handler off.
func (t *Thread) pop() func() {
	last := len(t.cleanups) - 1
	f := t.cleanups[last]
	t.cleanups = t.cleanups[:last]
	return f
}

// clean calls the cleanup handlers, each taken off before.
func (t *Thread) clean() {
	for len(t.cleanups) > 0 {
		t.pop()()
	}
}
