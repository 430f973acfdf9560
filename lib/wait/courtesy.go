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
	// After so many all others have a turn, where one goroutine runs at a time.
	courteous = 128
	// After so many the runtime's own goroutine is woken as well, by a call of the kernel.
	waking = 8 * courteous
	// Where several goroutines run at a time it is woken after so many, and sees to the
	// others: a turn for them seldom helps, and takes threads to be woken.
	wakingAmongSeveral = 64 * courteous
)

// Received is to be called after each message, by whoever is to receive the next one. The set
// may be nil.
func (c *Courtesy) Received(s *Set) {
	if c.messages++; c.messages%attentive == 0 {
		c.attend(s)
	}
}

func (c *Courtesy) attend(s *Set) {
	several := s == nil || s.most > 1
	switch {
	case s != nil && s.Called(), !several && c.messages%courteous == 0:
		c.makeWay(s)
	case several && c.messages%wakingAmongSeveral == 0:
		wakeRuntime()
		if s != nil {
			s.Look()
		}
	}
}

// Polled is to be called, now and then, by who polls for long.
func (c *Courtesy) Polled(s *Set) {
	c.messages += courteous - c.messages%courteous
	c.makeWay(s)
}

func (c *Courtesy) makeWay(s *Set) {
	if c.messages%waking == 0 {
		wakeRuntime()
	}
	if s != nil {
		s.Look()
	}
	runtime.Gosched()
}

// wakeRuntime makes a call of the kernel that the runtime knows of.
func wakeRuntime() { _, _, _ = syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0) }
