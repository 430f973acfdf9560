package mailbox

import (
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"skerry/abi"
)

// boxes makes the mailboxes of a machine.
func boxes(t *testing.T, cores uint32) Boxes {
	memory := make([]uint64, Size(cores)/8)
	t.Cleanup(func() { clear(memory) })
	return Boxes{At: uintptr(unsafe.Pointer(&memory[0])), Cores: cores}
}

// TestLayout holds that mailboxes are apart, in whole lines, by receiver.
func TestLayout(t *testing.T) {
	for _, cores := range []uint32{1, 2, 5, abi.MaxCores} {
		b := Boxes{At: 1 << 20, Cores: cores}
		at := b.At
		for to := range cores {
			for from := range cores {
				if p := uintptr(unsafe.Pointer(b.Box(from, to))); p != at {
					t.Fatalf("%d cores: from %d to %d at %#x, want %#x", cores, from, to, p, at)
				}
				at += boxSize
			}
		}
		if size := Size(cores); uint64(at-b.At) > size || size%abi.PageSize != 0 || size >= uint64(at-b.At)+abi.PageSize {
			t.Errorf("%d cores: %d bytes for %d", cores, size, at-b.At)
		}
	}
	var b Box
	if unsafe.Offsetof(b.requested) != 64 {
		t.Error("the generations share a line with the doorbells")
	}
}

// TestRing rings every doorbell: an interrupt is needed once for each word.
func TestRing(t *testing.T) {
	b := boxes(t, 2)
	in := b.Box(0, 1)
	for n := range uint64(abi.CoreDispatchers) {
		if in.Ring(n) != (n%64 == 0) || in.Ring(n) {
			t.Fatalf("doorbell %d", n)
		}
	}
	for w := range Words {
		if in.Take(w) != ^uint64(0) || in.Take(w) != 0 {
			t.Fatalf("word %d", w)
		}
	}
	if !in.Ring(70) || in.Take(1) != 1<<6 {
		t.Error("doorbell 70")
	}
	in.Ring(abi.CoreDispatchers + 3) // no number: some doorbell, and no other memory
	if in.Take(0) != 1<<3 || in.Requested() != 0 || b.Box(1, 1).Take(0) != 0 {
		t.Error("a number that is none")
	}
}

// TestNoRingIsLost lets senders ring while the receiver takes, at once: after
// the last interrupt all doorbells have been taken.
func TestNoRingIsLost(t *testing.T) {
	const senders, rings = 3, 20_000
	b := boxes(t, senders+1)
	var interrupts [senders]atomic.Uint64
	var sending sync.WaitGroup
	for s := range uint32(senders) {
		sending.Go(func() {
			for i := range uint64(rings) {
				if b.Box(s, senders).Ring(i * 7 % 130) {
					interrupts[s].Add(1)
				}
			}
		})
	}
	// A word that had doorbells in it was one that needed an interrupt.
	var words [senders]uint64
	take := func() {
		for s := range uint32(senders) {
			for w := range Words {
				if b.Box(s, senders).Take(w) != 0 {
					words[s]++
				}
			}
		}
	}
	done := make(chan struct{})
	go func() { sending.Wait(); close(done) }()
	for going := true; going; {
		select {
		case <-done:
			going = false
		default:
		}
		take()
	}
	for s := range words {
		if n := interrupts[s].Load(); n != words[s] {
			t.Errorf("sender %d: %d interrupts, %d words taken", s, n, words[s])
		}
	}
}

// TestGenerations holds that each direction has words of its own.
func TestGenerations(t *testing.T) {
	b := boxes(t, 3)
	b.Box(0, 2).Request(7)
	b.Box(2, 0).Request(9)
	b.Box(2, 0).Acknowledge(7)
	if b.Box(0, 2).Requested() != 7 || b.Box(0, 2).Acknowledged() != 0 || b.Box(2, 0).Requested() != 9 || b.Box(2, 0).Acknowledged() != 7 {
		t.Error("generations mixed up")
	}
}
