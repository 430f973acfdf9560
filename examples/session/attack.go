package main

import (
	"fmt"
	"math/rand/v2"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/session"
	"skerry/lib/urpc"
)

// attacks are what a program can do to its monitor and to others over its session. None
// may harm anybody else; what becomes of the program itself does not matter.
var attacks = map[string]func(*talk, session.Name) error{
	"garbage":  attackGarbage,
	"scribble": attackScribble,
	"exchange": attackExchange,
	"hoard":    attackHoard,
	"mute":     attackMute,
	"names":    attackNames,
	"revoke":   attackRevoke,
}

// chance is what the attacks draw from.
var chance = rand.New(rand.NewPCG(1, 2))

// shout sends what there is room for, and reads nothing but acknowledgements.
func (t *talk) shout(kind uint8, b []byte) {
	var slot [urpc.PayloadSize]byte
	for range 1000 {
		if t.channel.Send(kind, b) {
			break
		}
		t.ring()
		t.channel.Receive(&slot)
	}
	t.ring()
}

// attackGarbage sends messages of all kinds with anything in them.
func attackGarbage(t *talk, name session.Name) error {
	sizes := []int{4, 8, 9, 12, 36, 40, 47, 52, 56}
	for range 20000 {
		b := make([]byte, sizes[chance.IntN(len(sizes))])
		for i := range b {
			b[i] = byte(chance.Uint32() >> chance.IntN(24))
		}
		if chance.IntN(3) == 0 {
			copy(b[min(4, len(b)):], name[:])
		}
		t.shout(uint8(chance.IntN(16)), b)
	}
	return nil
}

// attackScribble writes over the frame that it shares with its monitor.
func attackScribble(t *talk, name session.Name) error {
	for range 100 {
		var b [urpc.PayloadSize]byte
		n := session.Put(&b, &session.Lookup{Request: chance.Uint32(), Name: name})
		t.shout(session.KindLookup, b[:n])
		frame := unsafe.Slice(wordAt(abi.SessionBase), abi.SessionSize/8)
		for range 500 {
			frame[chance.IntN(len(frame))] = chance.Uint64() >> chance.IntN(64)
		}
		typed.Doorbell(capability.Base(capability.SlotSupervisor)).Ring()
	}
	return nil
}

// attackExchange puts all that it has into its exchange, and has it taken for
// something else.
func attackExchange(t *talk, name session.Name) error {
	t.mute = true
	fill := func() {
		for slot := uint32(1); slot < capability.L2Slots; slot++ {
			cnode(capability.Exchange(slot)).Copy(slot, capability.Base(uint32(chance.IntN(capability.SlotFree))))
		}
	}
	fill()
	for i := range uint32(300) {
		b := session.Bind{
			Request: i + 1, Version: version, Fingerprint: fingerprint, Depth: uint16(chance.Uint32()), Endpoint: uint8(i), Name: name,
			Transport: uint8([]channel.Transport{channel.TransportLMP, channel.TransportPolled, channel.TransportDoorbell}[i%3]),
		}
		if err := t.say(session.KindBind, &b); err != nil {
			return err
		}
		t.say(session.KindAnswer, &session.Answer{Binding: chance.Uint32N(64)})
		t.say(session.KindGive, &session.Give{Binding: chance.Uint32N(64), Ticket: i, Slot: uint8(i), Rights: 255})
		t.say(session.KindWithdraw, &session.Withdraw{Request: i, Slot: uint8(i)})
		if i%50 == 0 {
			fill()
		}
	}
	return nil
}

// attackHoard binds without end, and closes nothing.
func attackHoard(t *talk, name session.Name) error {
	bound := 0
	for i := range uint32(4000) {
		b := session.Bind{Request: i + 1, Version: version, Fingerprint: fingerprint, Depth: 4000, Transport: uint8(channel.TransportPolled), Name: name}
		if err := t.say(session.KindBind, &b); err != nil {
			return err
		}
		m, err := wait(t, func(m *session.Bound) bool { return m.Request == i+1 })
		if err != nil {
			return err
		}
		if m.Error != session.ErrNone {
			switch m.Error {
			case session.ErrLimit, session.ErrMemory, session.ErrRefusedLimit, session.ErrRefusedMemory:
				return nil
			}
			return fmt.Errorf("after %d bindings: %w", bound, m.Error)
		}
		g := gift{binding: m.Binding}
		for _, own := range t.came[g] {
			if err := discard(own); err != nil {
				return err
			}
		}
		delete(t.came, g)
		bound++
	}
	return fmt.Errorf("it has %d bindings", bound)
}

// attackMute exports a name, and answers nobody.
func attackMute(t *talk, name session.Name) error {
	t.mute = true
	if err := t.say(session.KindExport, &session.Export{ID: 1, Version: version, Fingerprint: fingerprint, Name: nameOf("mute")}); err != nil {
		return err
	}
	_, err := wait(t, func(m *session.Exported) bool { return true })
	for i := uint32(0); err == nil && i < 200; i++ {
		b := session.Bind{Request: i + 1, Version: version, Fingerprint: fingerprint, Depth: 1, Transport: uint8(channel.TransportPolled), Name: nameOf("mute")}
		err = t.say(session.KindBind, &b)
	}
	return err
}

// attackNames exports, looks up and watches without end.
func attackNames(t *talk, name session.Name) error {
	for i := range uint32(2000) {
		n := nameOf(fmt.Sprintf("name%d", i))
		t.say(session.KindExport, &session.Export{ID: i + 1, Name: n})
		t.say(session.KindLookup, &session.Lookup{Request: 2*i + 1, Wait: 1, Name: nameOf(fmt.Sprintf("none%d", i))})
		t.say(session.KindWatch, &session.Watch{Request: 2*i + 2, Name: name})
	}
	last, err := wait(t, func(m *session.Found) bool { return m.Error == session.ErrLimit })
	if err != nil {
		return fmt.Errorf("it can ask without end: %w, %+v", err, last)
	}
	return nil
}

// attackRevoke takes its exchange from its monitor, then binds.
func attackRevoke(t *talk, name session.Name) error {
	t.mute = true
	l1 := typed.L1CNode(capability.Base(capability.SlotCSpace))
	for range 1000 {
		if l1.Revoke(capability.Exchange(0).L1()) == nil {
			break
		}
	}
	for i := range uint32(20) {
		b := session.Bind{Request: i + 1, Version: version, Fingerprint: fingerprint, Depth: 4, Transport: uint8(channel.TransportDoorbell), Name: name}
		if err := t.say(session.KindBind, &b); err != nil {
			return err
		}
		t.say(session.KindGive, &session.Give{Binding: i, Slot: 3})
	}
	return nil
}

func nameOf(s string) session.Name {
	n, err := session.MakeName(s)
	if err != nil {
		panic(err) // all are short
	}
	return n
}
