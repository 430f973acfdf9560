package endpoint

import (
	"errors"
	"testing"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/raw"
)

// TestSize checks that an endpoint has the room that was asked for, and a size that
// one can have.
func TestSize(t *testing.T) {
	for n := -1; n <= 84; n++ {
		size := sizeFor(n)
		if !capability.Endpoint.Fits(0, size) || int(size-headerSize)/messageSize < n {
			t.Errorf("%d bytes for %d messages", size, n)
		}
	}
	if capability.Endpoint.Fits(0, sizeFor(85)) {
		t.Error("there is room for 85 messages")
	}
}

// TestCall checks what goes into registers, and what is taken out of them.
func TestCall(t *testing.T) {
	m := &Message{Len: 7, Capability: 0x1234}
	if got := call(m); got != abi.NativeCall|abi.CallMessage|7<<8|0x1234<<32 {
		t.Errorf("%#x", got)
	}
	err := answer(m, &raw.Message{Call: uint64(capability.OK), Endpoints: 99, Deadline: 3 | abi.MessageCapability})
	if err != nil || m.Len != 3 || !m.Given || m.Label != 99 || m.Capability != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if err := answer(m, &raw.Message{Call: uint64(capability.ErrPeer), Endpoints: 5}); !errors.Is(err, capability.ErrPeer) || m.Label != 5 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, n := range []int{-1, abi.MessageWords + 1, 1 << 30} {
		m := &Message{Len: n}
		if err := Send(1, m); err != capability.ErrArgument {
			t.Errorf("sending %d words: %v", n, err)
		}
		if err := Endpoint(1).Call(1, m, time.Time{}); err != capability.ErrArgument {
			t.Errorf("calling with %d words: %v", n, err)
		}
	}
}

// TestDeadline checks the times that are given to the kernel.
func TestDeadline(t *testing.T) {
	if deadline(time.Time{}) != abi.WaitForever {
		t.Error("no deadline is one")
	}
	if d := deadline(time.Now().Add(-time.Hour)); d == 0 || d > deadline(time.Now().Add(time.Hour)) {
		t.Errorf("an hour ago is %d", d)
	}
	soon, later := deadline(time.Now().Add(time.Hour)), deadline(time.Now().Add(2*time.Hour))
	if gap := time.Duration(later - soon); gap < time.Hour || gap > 2*time.Hour {
		t.Errorf("an hour is %v", gap)
	}
}
