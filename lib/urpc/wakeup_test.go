package urpc

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestFences looks for the one interleaving that the fences forbid: the sender
// missed the announcement and the receiver missed the message. The sender says
// after every message that it is through with it, rung or not; a receiver
// asleep over such a message has lost its wake-up.
func TestFences(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	base := frame(t, MinFrame)
	var through, rung, stop atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		var c Channel
		c.Attach(base, MinFrame, A)
		var buf [PayloadSize]byte
		for sent := uint64(0); stop.Load() == 0; {
			c.Receive(&buf)
			if !c.Send(1, nil) {
				continue
			}
			if c.NeedsDoorbell() {
				rung.Add(1)
			}
			sent++
			through.Store(sent)
		}
	}()
	var c Channel
	c.Attach(base, MinFrame, B)
	var buf [PayloadSize]byte
	received, sleeps := uint64(0), 0
	for start := time.Now(); received%1024 != 0 || time.Since(start) < 300*time.Millisecond; {
		if _, _, ok := c.Receive(&buf); ok {
			received++
			continue
		}
		c.NeedsDoorbell()
		bells := rung.Load()
		if !c.Announce() {
			continue
		}
		sleeps++
		for rung.Load() == bells {
			if through.Load() > received && rung.Load() == bells {
				stop.Store(1)
				<-done
				t.Fatalf("asleep over a message, %d sleeps from the start", sleeps)
			}
		}
		c.Withdraw()
	}
	stop.Store(1)
	<-done
	if sleeps < 10 {
		t.Errorf("only %d sleeps in %d messages", sleeps, received)
	}
	t.Logf("%d sleeps in %d messages", sleeps, received)
}
