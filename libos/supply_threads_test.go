package main

import (
	"testing"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/lib/supply"
	"skerry/lib/urpc"
)

// ask sends a question about threads.
func (s *spawner) ask(l supply.Listing) {
	s.t.Helper()
	var b [supply.ListingSize]byte
	l.Put(&b)
	if !s.Send(supply.List, b[:]) {
		s.t.Fatal("the ring is full")
	}
}

// answer takes what came in answer, other messages left out; ok says whether it
// is complete.
func (s *spawner) answer() (list []supply.Thread, end supply.Listing, ok bool) {
	s.t.Helper()
	var b [urpc.PayloadSize]byte
	for {
		kind, n, came := s.Receive(&b)
		if !came {
			return list, end, false
		}
		var th supply.Thread
		switch {
		case kind == supply.ThreadIs && th.Get(b[:], n):
			list = append(list, th)
		case kind == supply.Listed && end.Get(b[:], n):
			return list, end, true
		}
	}
}

// TestListThreads asks for threads of every kind, in more parts than one.
func TestListThreads(t *testing.T) {
	s := newSpawner(t)
	listenSupply()
	th := freshThreads(t)
	copy(th.Name[:], "main")
	want := map[uint32]supply.Thread{}
	const file = 17
	for i := range 3 * supply.ListMost {
		adopt(th, manner{linux.SCHED_RR, uint8(i + 1), int8(i % 20)})
		expect := supply.Thread{
			Query: 9, ID: uint32(th.ID), State: supply.Blocked, Policy: linux.SCHED_RR, Priority: uint8(i + 1), Nice: int8(i % 20), Name: th.Name,
		}
		child := threads.Clone(0, 0, false)
		inherit(child)
		switch i % 4 {
		case 0:
			threads.Block(0x1234_5678, carrier.AllBits, 55)
			expect.Wait, expect.Call, expect.Object, expect.Deadline = supply.WaitFutex, linux.SysFutex, 0x1234_5678, 55
		case 1:
			c := callOf(th)
			c.call.Number, c.call.Args[0] = linux.SysRead, file
			threads.Block(fileKey|5, carrier.AllBits, 0)
			expect.Wait, expect.Call, expect.Object = supply.WaitFile, linux.SysRead, file
		case 2:
			threads.Block(0, 0, 77)
			expect.Wait, expect.Deadline = supply.WaitTime, 77
		case 3:
			threads.Exit() // and its place is free until the next one begins
			th = threads.Next()
			continue
		}
		want[expect.ID] = expect
		th = threads.Next()
	}
	ready := threads.Clone(0, 0, false)
	inherit(ready)
	for _, live := range []*carrier.Thread{th, ready} {
		want[uint32(live.ID)] = supply.Thread{
			Query: 9, ID: uint32(live.ID), State: supply.Running, Policy: live.Policy, Priority: live.Level(), Nice: live.Nice, Name: live.Name,
		}
	}
	expect := want[uint32(ready.ID)]
	expect.State = supply.Ready
	want[expect.ID] = expect

	parts := 0
	for next := uint32(0); ; parts++ {
		s.ask(supply.Listing{Query: 9, Next: next})
		if !s.NeedsDoorbell() {
			t.Fatal("the libos does not listen")
		}
		pollSupply()
		list, end, ok := s.answer()
		if !ok || end.Query != 9 || len(list) > supply.ListMost {
			t.Fatalf("part %d: %d threads, end %+v %v", parts, len(list), end, ok)
		}
		for _, got := range list {
			if got != want[got.ID] {
				t.Errorf("got %+v, want %+v", got, want[got.ID])
			}
			delete(want, got.ID)
		}
		if end.Next == 0 {
			break
		}
		next = end.Next
	}
	if len(want) != 0 || parts < 2 {
		t.Errorf("in %d parts: missing %+v", parts+1, want)
	}
}

// TestListWhileAsking: a question that comes while memory is waited for is
// answered afterwards, and the last one only.
func TestListWhileAsking(t *testing.T) {
	s := newSpawner(t)
	freshThreads(t)
	dispatcher().HasWork = 0
	s.ask(supply.Listing{Query: 1})
	s.ask(supply.Listing{Query: 2})
	s.give(supply.Piece{Number: 5, Size: supply.Least})
	if size, _ := requestRAM(5, supply.Least, false); size != supply.Least {
		t.Fatalf("%d bytes", size)
	}
	if dispatcher().HasWork == 0 {
		t.Error("nothing says that a question waits")
	}
	pollSupply()
	if list, end, ok := s.answer(); !ok || end.Query != 2 || len(list) != 1 {
		t.Errorf("%d threads, %+v %v", len(list), end, ok)
	}
	if list, end, ok := s.answer(); ok || len(list) != 0 {
		t.Errorf("another answer: %+v %+v", list, end)
	}
	s.ask(supply.Listing{Query: 3})
	if !s.NeedsDoorbell() {
		t.Error("nobody listens after memory was asked for")
	}
}

// TestListNoRoom: where there is no room for an answer it comes when there is.
func TestListNoRoom(t *testing.T) {
	s := newSpawner(t)
	listenSupply()
	freshThreads(t)
	for supplier.Free() > 2 {
		returnRAM(1)
	}
	s.ask(supply.Listing{Query: 4})
	pollSupply()
	if _, _, ok := s.answer(); ok {
		t.Fatal("an answer without room for it")
	}
	if !s.NeedsDoorbell() {
		t.Fatal("the acknowledgement of what was read does not ring")
	}
	pollSupply()
	if list, _, ok := s.answer(); !ok || len(list) != 1 {
		t.Errorf("%d threads, %v", len(list), ok)
	}
}

// TestListHostile: questions that make no sense are answered or dropped.
func TestListHostile(t *testing.T) {
	s := newSpawner(t)
	freshThreads(t)
	s.ask(supply.Listing{Query: 1, Next: ^uint32(0)})
	pollSupply()
	if list, end, ok := s.answer(); !ok || len(list) != 0 || end.Next != 0 {
		t.Errorf("beyond the end: %d threads, %+v %v", len(list), end, ok)
	}
	s.Send(supply.List, []byte{1, 2, 3})
	pollSupply()
	if _, _, ok := s.answer(); ok {
		t.Error("what is no question is answered")
	}
	for i := uint64(0); i < abi.SupplySize; i += 8 {
		*at[uint64](abi.SupplyBase + i) = ^uint64(0)
	}
	question.asked = true
	pollSupply()
	question.asked = false
}

// TestListFits: an answer takes no more slots than come free for certain
// (urpc.Channel.Free): who waited for more could wait for ever.
func TestListFits(t *testing.T) {
	slots := urpc.Slots(abi.SupplySize)
	if all := supply.ListMost + spare; all > 3*slots/4+1 {
		t.Errorf("an answer takes %d slots, and of %d only %d come free for certain", all, slots, 3*slots/4+1)
	}
}
