package main

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/bare"
	"skerry/lib/native/raw"
)

// messageAttacks misuse messages. Their words are never more than the program's own.
var messageAttacks = []attack{
	{"message-references", "send to and receive from what is no endpoint, or not the program's", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		other := w.endpoint(w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least), 256)
		mine := w.endpoint(own(capability.SlotDispatcher), 256)
		for _, r := range []uint64{
			1, 255, 256, 1 << 8, 0xff00, 0x7fff_ffff, 0x8000_0000, 0x8000_0100, 0x8000_0101, 0xffff_fffe,
			uint64(own(capability.SlotVSpace)), uint64(own(capability.SlotDispatcher)), uint64(own(capability.SlotArchive)), uint64(own(capability.SlotSupervisor)),
			uint64(w.ram), uint64(w.cnode), uint64(w.slot()),
		} {
			t.refuse(exchange(0, r, 0, 1), "a message was sent to %#x", r)
			t.refuse(exchange(0, 0, r, 1), "a message was received from %#x", r)
			t.refuse(exchange(0, uint64(mine), r, 1), "a message was received from %#x after one was sent", r)
			if r < 1<<31 {
				if d, there := identify(capability.Reference(r)); !there || d.Rights&capability.RightGrant == 0 {
					t.refuse(exchange(r<<32, uint64(mine), 0, 1), "capability %#x was sent along", r)
				}
			}
		}
		t.refuse(exchange(0, uint64(abi.AnyEndpoint), 0, 1), "a message was sent to all endpoints")
		t.refuse(exchange(0, 0, uint64(other), 1), "a message was received from another dispatcher's endpoint")
		return t.end()
	})},
	{"message-lengths", "send more words than there are, and wait until times that are none", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		mine := uint64(w.endpoint(own(capability.SlotDispatcher), 256))
		for n := uint64(abi.MessageWords + 1); n < 1<<24; n = n*3/2 + 1 {
			t.refuse(exchange(n<<8, mine, 0, 1), "%d words were sent", n)
		}
		for _, deadline := range []uint64{1 << 63, ^uint64(0), 1<<63 + 12345} {
			t.refuse(exchange(0, mine, mine, deadline), "a message was waited for until %#x", deadline)
		}
		return t.end()
	})},
	{"message-overflow", "send more messages than an endpoint has room for", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		d := w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least)
		sent := 0
		for range 3 {
			// The largest that fits behind what is there, down to none.
			for size := uint64(8192); size >= 256; size -= 256 {
				e, ok := w.endpointAt(d, size)
				if !ok {
					continue
				}
				room := (size - 128) / 96
				for range room {
					if err := exchange(10<<8, uint64(e), 0, 0); err != capability.OK {
						return "", err
					}
					sent++
				}
				for range 100 {
					t.refuse(exchange(10<<8, uint64(e), 0, 0), "%d messages went into %d bytes", room+1, size)
				}
			}
		}
		return outcome(fmt.Sprintf("%d messages fitted, %d were refused", sent, t.n)), nil
	})},
	{"message-capabilities", "send capabilities to where they must not go", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		mine := w.endpoint(own(capability.SlotDispatcher), 8192)
		gift := uint64(w.make(capability.Frame, abi.PageSize))
		full := w.make(capability.Frame, abi.PageSize)
		for _, slot := range []uint64{
			uint64(full), uint64(capability.LevelOneReference(0)), uint64(capability.LevelOneReference(1)), uint64(capability.LevelOneReference(w.cnode.L1() + 1)),
			0, 1, 0x100, 0x7fff_ff01, 0xffff_ff00, 0xffff_ffff, 1 << 40, uint64(own(0)), uint64(own(capability.SlotCSpace)),
		} {
			invoke(mine, capability.EndpointAccept, slot)
			t.refuse(exchange(gift<<32, uint64(mine), 0, 0), "a capability went into slot %#x", slot)
		}
		// As many as there are slots for, one after the other: then they are gone.
		sent := 0
		for w.next < capability.L2Slots {
			invoke(mine, capability.EndpointAccept, uint64(w.slot()))
			if err := exchange(gift<<32, uint64(mine), uint64(mine), 0); err != capability.OK {
				return "", err
			}
			sent++
			t.refuse(exchange(gift<<32, uint64(mine), 0, 0), "a capability came that was not asked for")
		}
		if err, _ := invoke(cnodeOf(capability.Reference(gift)), capability.L2CNodeRevoke, uint64(capability.Reference(gift).Slot())); err != capability.OK && err != capability.ErrRevoking && err != capability.ErrPending {
			return "", err
		}
		return outcome(fmt.Sprintf("%d copies were sent, %d more refused", sent, t.n)), nil
	})},
	{"message-circles", "have endpoints watch each other in circles, and end them in any order", inWorkshop(func(w *workshop) (outcome, error) {
		const n = 8
		ended := 0
		for round := range uint64(20) {
			var e [n]capability.Reference
			for i := range e {
				var ok bool
				if e[i], ok = w.endpointAt(own(capability.SlotDispatcher), 256); !ok {
					return "", capability.ErrMemory
				}
				w.next--
				moved := capability.MakeReference(w.cnode.L1(), 100+uint32(i))
				if err, _ := invoke(w.cnode, capability.L2CNodeMove, uint64(moved.Slot()), uint64(e[i])); err != capability.OK {
					return "", err
				}
				e[i] = moved
			}
			for i := range e {
				invoke(e[i], capability.EndpointWatch, uint64(e[(uint64(i)*(round%7+1)+round)%n]))
				exchange(0, uint64(e[i]), 0, 0)
				exchange(0, uint64(e[i]), 0, 0) // no room: it is waited for
			}
			for i := range uint64(n) {
				at := e[i*(2*round+1)%n]
				if err, _ := invoke(w.cnode, capability.L2CNodeDelete, uint64(at.Slot())); err != capability.OK {
					return "", err
				}
				ended++
				exchange(0, 0, abi.AnyEndpoint, 0)
			}
		}
		return outcome(fmt.Sprintf("%d endpoints ended", ended)), nil
	})},
	{"message-killed", "take from servers all they consist of while they wait", func(string) (outcome, error) {
		w, err := openWorkshop()
		if err != nil {
			return "", err
		}
		mine := w.endpoint(own(capability.SlotDispatcher), 8192)
		for range 5 {
			server, err := bare.NewServer(mine, 256)
			if err != nil {
				return "", err
			}
			invoke(mine, capability.EndpointWatch, uint64(server.Endpoint()))
			if err := server.Run(); err != nil {
				return "", err
			}
			m := raw.Message{Call: abi.NativeCall | abi.CallMessage | 1<<8, Endpoints: uint64(server.Endpoint()) | uint64(mine)<<32, Deadline: abi.WaitForever}
			words := [abi.MessageWords]uint64{bare.ServerAnswer}
			for raw.Exchange(&m, &words); capability.Error(m.Call) == capability.ErrInterrupted; raw.Exchange(&m, &words) {
				m = raw.Message{Call: abi.NativeCall | abi.CallMessage, Endpoints: uint64(mine) << 32, Deadline: abi.WaitForever}
			}
			if err := server.Close(); err != nil {
				return "", err
			}
			for err := capability.ErrInterrupted; err != capability.ErrPeer; err = exchange(0, 0, uint64(mine), abi.WaitForever) {
				if err != capability.ErrInterrupted && err != capability.OK {
					return "", err
				}
			}
		}
		return "each time the news came that it had ended", nil
	}},
}

// exchange makes a CallMessage that sends what, as abi.CallMessage has it in RAX, to an
// endpoint and receives from another, and returns the error alone.
func exchange(what, to, from, deadline uint64) capability.Error {
	if !onSkerry() {
		return capability.ErrCall
	}
	m := raw.Message{Call: abi.NativeCall | abi.CallMessage | what, Endpoints: to | from<<32, Deadline: deadline}
	raw.Exchange(&m, new([abi.MessageWords]uint64))
	return capability.Error(m.Call)
}

// endpoint makes an endpoint of a dispatcher.
func (w *workshop) endpoint(dispatcher capability.Reference, size uint64) capability.Reference {
	e, _ := w.endpointAt(dispatcher, size)
	return e
}

// endpointAt does so in the first place where there is room, and says if there is.
func (w *workshop) endpointAt(dispatcher capability.Reference, size uint64) (capability.Reference, bool) {
	slot := w.slot()
	rule := capability.Of(capability.Dispatcher)
	for at := rule.Offers; at+size <= rule.Least; at += 256 {
		if w.retype(slot, dispatcher, capability.Endpoint, at, size) == capability.OK {
			return slot, true
		}
	}
	w.next--
	return 0, false
}
