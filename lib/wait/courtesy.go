package wait

import (
	"runtime"
	"syscall"
)

// Courtesy keeps a goroutine that polls, or never waits since what it would wait for is always
// there already, from keeping out all others. The Go runtime does not see to that: what
// preempts goroutines and looks at files meanwhile sleeps for up to a minute after the
// program was idle, unless somebody calls the kernel, and messages need no kernel. The zero
// value is ready for use, by one goroutine at a time.
type Courtesy struct{ messages uint32 }

const (
	// After so many messages in a row it is asked whether something has come for others.
	attentive = 8
	// After so many others are seen to whether or not, and have a turn where one goroutine runs
	// at a time.
	courteous = 128
	// After so many the runtime's own goroutine is woken as well, by a call of the kernel.
	waking = 8 * courteous
	// Where several goroutines run at a time it is woken, and others have a turn, only after
	// so many: a turn takes threads to be woken, and those get in the way of whoever is polled for.
	seldom = 64 * courteous
)

// Received is to be called once for each message, by whoever receives: best before it waits for
// the next one, when nobody waits for it. The set may be nil.
func (c *Courtesy) Received(s *Set) {
	if c.messages++; c.messages%attentive == 0 && (c.messages%courteous == 0 || s != nil && s.Called()) {
		c.makeWay(s)
	}
}

// Polled is to be called, now and then, by who polls for long.
func (c *Courtesy) Polled(s *Set) {
	c.messages += courteous - c.messages%courteous
	c.makeWay(s)
}

// makeWay wakes those for whom something has come, and lets them run if they cannot elsewhere.
func (c *Courtesy) makeWay(s *Set) {
	wake, turn := c.messages%waking == 0, true
	if runtime.GOMAXPROCS(0) > 1 {
		turn = c.messages%seldom == 0
		wake = turn
	}
	if wake {
		wakeRuntime()
	}
	if s != nil {
		s.Look()
	}
	if turn {
		runtime.Gosched()
	}
}

// wakeRuntime makes a call of the kernel that the runtime knows of.
func wakeRuntime() { _, _, _ = syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0) }
