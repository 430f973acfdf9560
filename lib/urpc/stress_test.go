package urpc

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBoardNoLostWakeup has an owner sleep at every chance on a board for several
// channels, whose peers send at full speed and sleep for room, while a hostile peer
// sets and clears hints; it fails when somebody sleeps for ever. The two halves of each
// of the owner's channels are used by two goroutines at a time.
func TestBoardNoLostWakeup(t *testing.T) {
	const channels, size = 5, Rings + 2*5*Pitch
	messages := uint32(50_000)
	if testing.Short() {
		messages = 5_000
	}
	owner, hints, sleep := board(t)
	bell := make(chan struct{}, 1)
	ring := func(bell chan struct{}) {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
	var group sync.WaitGroup
	var failure atomic.Pointer[string]
	fail := func(format string, arguments ...any) {
		s := fmt.Sprintf(format, arguments...)
		failure.CompareAndSwap(nil, &s)
	}
	wait := func(bell chan struct{}, who string) {
		select {
		case <-bell:
		case <-time.After(20 * time.Second):
			fail("%s sleeps for ever", who)
		}
	}
	var ends [channels]Channel
	var peerBells, echoBells [channels]chan struct{}
	for n := range channels {
		base := frame(t, size)
		ends[n].Attach(base, size, A)
		peer := new(Channel)
		peer.Attach(base, size, B)
		peerBells[n], echoBells[n] = make(chan struct{}, 1), make(chan struct{}, 1)
		var b Bell
		b.Attach(hints, sleep, n*90)
		// The peer sends, and now and then sleeps for room.
		group.Go(func() {
			var payload [4]byte
			s := peer.Sender()
			for i := uint32(0); i < messages && failure.Load() == nil; {
				binary.LittleEndian.PutUint32(payload[:], i)
				if s.Send(1, payload[:]) {
					i++
				} else if s.Announce() {
					wait(peerBells[n], "a peer without room")
					s.Withdraw()
				}
				if s.PeerWaits() && b.Hint() {
					ring(bell)
				}
			}
		})
		// What comes back, it polls.
		group.Go(func() {
			var buf [PayloadSize]byte
			r := peer.Receiver()
			for i := uint32(0); i < messages && failure.Load() == nil; {
				if _, _, ok := r.Receive(&buf); ok {
					if got := binary.LittleEndian.Uint32(buf[:]); got != i {
						fail("message %d comes back as %d", i, got)
					}
					i++
				} else if r.Announce() {
					wait(echoBells[n], "a peer without messages")
					r.Withdraw()
				}
				if r.NeedsDoorbell() {
					ring(bell)
				}
			}
		})
		// The owner's other half sends on its own account.
		group.Go(func() {
			var payload [4]byte
			s := ends[n].Sender()
			for i := uint32(0); i < messages && failure.Load() == nil; {
				binary.LittleEndian.PutUint32(payload[:], i)
				if s.Send(1, payload[:]) {
					i++
				} else {
					runtime.Gosched()
				}
				if s.NeedsDoorbell() {
					ring(echoBells[n])
				}
			}
		})
	}
	stop := make(chan struct{})
	hostile := make(chan struct{})
	go func() {
		defer close(hostile)
		words := (*[BoardSize / 8]uint64)(at(hints))
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				atomic.StoreUint64(&words[n%8], uint64(n%3)<<(n%64))
				time.Sleep(10 * time.Microsecond)
			}
		}
	}()
	var next [channels]uint32
	received := uint32(0)
	attend := func(n int) (progress bool) {
		r := ends[n].Receiver()
		var buf [PayloadSize]byte
		for r.Withdraw(); ; {
			for {
				_, _, ok := r.Receive(&buf)
				if !ok {
					break
				}
				if got := binary.LittleEndian.Uint32(buf[:]); got != next[n] {
					fail("channel %d: message %d is %d", n, next[n], got)
				}
				next[n]++
				received++
				progress = true
				if r.NeedsDoorbell() {
					ring(peerBells[n])
				}
			}
			if r.Announce() {
				return progress
			}
		}
	}
	sleeps := 0
	for rounds := 0; received < channels*messages && failure.Load() == nil; rounds++ {
		for n, ok := owner.Next(); ok; n, ok = owner.Next() {
			if n%90 == 0 && n/90 < channels {
				attend(n / 90)
			}
		}
		asleep := owner.Announce()
		if asleep || rounds%16 == 0 {
			// A look at all: hostile peers take hints away.
			for n := range channels {
				if attend(n) {
					owner.Withdraw()
					asleep = false
				}
			}
		}
		if asleep && received < channels*messages {
			sleeps++
			wait(bell, "the owner")
		}
		owner.Withdraw()
	}
	group.Wait()
	close(stop)
	<-hostile
	if why := failure.Load(); why != nil {
		t.Fatal(*why)
	}
	t.Logf("%d sleeps for %d messages", sleeps, received)
}
