package main

import (
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/supply"
	"skerry/lib/urpc"
)

// spawner is the other side of the supply channel.
type spawner struct {
	urpc.Channel
	t *testing.T
}

// newSpawner attaches both sides to a fresh channel.
func newSpawner(t *testing.T) *spawner {
	clear(bytesAt(abi.SupplyBase, abi.SupplySize))
	s := &spawner{t: t}
	supply.AttachSpawner(&s.Channel, abi.SupplyBase)
	supply.AttachProgram(&supplier)
	t.Cleanup(func() { supplier = urpc.Channel{} })
	return s
}

// give sends an answer.
func (s *spawner) give(p supply.Piece) {
	s.t.Helper()
	var b [supply.PieceSize]byte
	p.Put(&b)
	if !s.Send(supply.Given, b[:]) {
		s.t.Fatal("the ring is full")
	}
}

// receive takes a message.
func (s *spawner) receive() (kind uint8, p supply.Piece, ok bool) {
	s.t.Helper()
	var b [urpc.PayloadSize]byte
	kind, n, ok := s.Receive(&b)
	if ok && !p.Get(b[:], n) {
		s.t.Fatal("what came is no piece")
	}
	return kind, p, ok
}

func TestRequestRAM(t *testing.T) {
	s := newSpawner(t)
	// Answers of another number are not the answer.
	s.give(supply.Piece{Number: 4, Size: 1 << 20})
	s.give(supply.Piece{Number: 5, Size: 1 << 21})
	if size, err := requestRAM(5, 1<<22, false); size != 1<<21 || err != capability.OK {
		t.Errorf("got %d, %v", size, err)
	}
	if kind, p, ok := s.receive(); !ok || kind != supply.Want || p != (supply.Piece{Number: 5, Size: 1 << 22}) {
		t.Errorf("asked with kind %d for %+v", kind, p)
	}
	s.give(supply.Piece{Number: 6, Error: capability.ErrQuota})
	if _, err := requestRAM(6, 1<<22, false); err != capability.ErrQuota {
		t.Errorf("refused with %v", err)
	}
	if dispatcher().HasWork != 0 {
		t.Error("there is work though nothing was waited for")
	}
	returnRAM(5)
	s.receive()
	if kind, p, ok := s.receive(); !ok || kind != supply.Back || p.Number != 5 {
		t.Errorf("given back with kind %d: %+v", kind, p)
	}
}

// TestSupplyFull sends more than the ring holds: the spawner's acknowledgements
// make room.
func TestSupplyFull(t *testing.T) {
	s := newSpawner(t)
	sent := uint32(0)
	for range 5 {
		for supplier.CanSend() {
			returnRAM(sent)
			sent++
		}
		for {
			if _, _, ok := s.receive(); !ok {
				break
			}
		}
		returnRAM(sent) // there is an acknowledgement to take in
		sent++
	}
	if sent <= 5*uint32(urpc.Slots(abi.SupplySize)) {
		t.Errorf("only %d messages", sent)
	}
}

// TestNoSupply: without a channel, or with one that is broken, there is no
// memory, and nobody waits for it.
func TestNoSupply(t *testing.T) {
	if _, err := requestRAM(1, 1<<20, false); err != capability.ErrMemory {
		t.Errorf("without a channel: %v", err)
	}
	s := newSpawner(t)
	s.give(supply.Piece{Number: 2})
	for i := uint64(0); i < abi.SupplySize; i += 8 {
		*at[uint64](abi.SupplyBase + i) = ^uint64(0)
	}
	if _, err := requestRAM(1, 1<<20, false); err != capability.ErrMemory || !supplier.Broken() {
		t.Errorf("over a broken channel: %v", err)
	}
}
