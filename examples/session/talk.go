package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/lib/session"
	"skerry/lib/urpc"
)

// patience bounds every wait.
const patience = 60 * time.Second

var errLate = errors.New("nobody answers")

// talk is the program's session, and the bindings that it has.
type talk struct {
	channel  urpc.Channel
	doorbell *native.Doorbell
	rung     chan error
	request  uint32
	ends     map[uint32]*end
	events   []event // that nobody has waited for
	came     map[gift][]capability.Reference
	mute     bool // it leaves in the exchange what comes
}

// gift names what has come: what belongs to a binding, or by a ticket what the peer has given.
type gift struct{ binding, ticket uint32 }

// event is a message of the monitor.
type event struct {
	kind uint8
	m    any
}

// end is one end of a binding.
type end struct {
	number  uint32
	size    uint64
	channel urpc.Channel
	at      uintptr
	slots   []capability.Reference // frame, sleep, hints, doorbell
	bell    typed.Doorbell
}

// endSlots is how many slots an end has.
const endSlots = 4

func open() (*talk, error) {
	if _, err := native.Identify(capability.LevelOneReference(capability.Exchange(0).L1())); err != nil {
		return nil, fmt.Errorf("this program was not given messages: %w", err)
	}
	doorbell, err := native.OpenDoorbell()
	if err != nil {
		return nil, err
	}
	t := &talk{doorbell: doorbell, rung: make(chan error, 1), ends: make(map[uint32]*end), came: make(map[gift][]capability.Reference)}
	session.AttachProgram(&t.channel, abi.SessionBase)
	go func() {
		for {
			_, err := doorbell.Wait()
			t.rung <- err
		}
	}()
	return t, nil
}

// say sends a message to the monitor.
func (t *talk) say(kind uint8, m any) error {
	var b [urpc.PayloadSize]byte
	n := session.Put(&b, m)
	return t.until(func() (bool, error) {
		if !t.channel.Send(kind, b[:n]) {
			return false, nil
		}
		return true, t.ring()
	})
}

// ring rings the monitor if it sleeps.
func (t *talk) ring() error {
	if t.channel.NeedsDoorbell() {
		return typed.Doorbell(capability.Base(capability.SlotSupervisor)).Ring()
	}
	return nil
}

// messages are what the monitor may send, by kind.
var messages = map[uint8]func() any{
	session.KindExported:  func() any { return new(session.Exported) },
	session.KindFound:     func() any { return new(session.Found) },
	session.KindNameGone:  func() any { return new(session.NameGone) },
	session.KindIncoming:  func() any { return new(session.Incoming) },
	session.KindBound:     func() any { return new(session.Bound) },
	session.KindGone:      func() any { return new(session.Gone) },
	session.KindArrived:   func() any { return new(session.Arrived) },
	session.KindGiven:     func() any { return new(session.Given) },
	session.KindWithdrawn: func() any { return new(session.Withdrawn) },
}

// hear takes what the monitor has said, and what has come with it.
func (t *talk) hear() error {
	var b [urpc.PayloadSize]byte
	for {
		kind, n, ok := t.channel.Receive(&b)
		if !ok {
			break
		}
		empty := messages[kind]
		if empty == nil {
			return fmt.Errorf("the monitor says something of kind %d", kind)
		}
		m := empty()
		if !session.Get(b[:], n, m) {
			return fmt.Errorf("the monitor says %T in %d bytes", m, n)
		}
		if err := t.fetchAll(m); err != nil {
			return err
		}
		t.events = append(t.events, event{kind, m})
	}
	return t.ring()
}

// until waits for something that a message, or a peer's doorbell, brings about.
func (t *talk) until(done func() (bool, error)) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		for range 100 {
			if err := t.hear(); err != nil {
				return err
			}
			if ok, err := done(); ok || err != nil {
				return err
			}
			runtime.Gosched()
		}
		sleeps := t.channel.Announce()
		for _, e := range t.ends {
			sleeps = e.channel.Announce() && sleeps
		}
		if sleeps {
			select {
			case err := <-t.rung:
				if err != nil {
					return err
				}
			case <-late.C:
				return errLate
			}
		}
		t.channel.Withdraw()
		for _, e := range t.ends {
			e.channel.Withdraw()
		}
	}
}

// take takes the first event that fits.
func take[M any](t *talk, fits func(*M) bool) (found *M) {
	for i, e := range t.events {
		if m, ok := e.m.(*M); ok && fits(m) {
			t.events = append(t.events[:i:i], t.events[i+1:]...)
			return m
		}
	}
	return nil
}

// wait waits for an event that fits.
func wait[M any](t *talk, fits func(*M) bool) (found *M, err error) {
	err = t.until(func() (bool, error) {
		found = take(t, fits)
		return found != nil, nil
	})
	if err != nil {
		err = fmt.Errorf("waiting for %T: %w", found, err)
	}
	return found, err
}

// cnode is the CNode that a slot is in.
func cnode(slot capability.Reference) typed.L2CNode {
	return typed.L2CNode(capability.LevelOneReference(slot.L1()))
}

// fetchAll takes what a message names out of the exchange, as is to be done before the next
// message is received.
func (t *talk) fetchAll(message any) error {
	var g gift
	slot, n := uint8(0), 0
	switch m := message.(type) {
	case *session.Incoming:
		g, slot, n = gift{binding: m.Binding}, m.Slot, endSlots
	case *session.Bound:
		if m.Error == session.ErrNone {
			g, slot, n = gift{binding: m.Binding}, m.Slot, endSlots
		}
	case *session.Arrived:
		g, slot, n = gift{m.Binding, m.Ticket}, m.Slot, 1
	}
	if t.mute {
		return nil
	}
	for i := range n {
		own, err := fetch(slot + uint8(i))
		if err != nil {
			return fmt.Errorf("fetch %d of what came with %T: %w", i, message, err)
		}
		t.came[g] = append(t.came[g], own)
	}
	return nil
}

// fetch moves what is in a slot of the exchange to one of the program's own. That stays empty if
// it has been withdrawn.
func fetch(slot uint8) (capability.Reference, error) {
	own, err := native.Slot()
	if err != nil {
		return 0, err
	}
	err = cnode(own).Move(own.Slot(), capability.Exchange(uint32(slot)))
	if errors.Is(err, capability.ErrEmpty) {
		err = nil
	}
	return own, err
}

// discard deletes a capability and gives its slot back.
func discard(own capability.Reference) error {
	err := cnode(own).Delete(own.Slot())
	for errors.Is(err, capability.ErrPending) {
		err = cnode(own).Delete(own.Slot())
	}
	if err != nil && !errors.Is(err, capability.ErrEmpty) {
		return err
	}
	return native.FreeSlot(own)
}

// attach makes an end of what has come for it.
func (t *talk) attach(binding, size uint32, side urpc.Side) (*end, error) {
	g := gift{binding: binding}
	e := &end{number: binding, size: uint64(size), slots: t.came[g]}
	delete(t.came, g)
	// A peer's sleep word can be read, and no more.
	if _, err := native.Map(e.slots[1], 0, abi.PageSize, abi.ProtRead|abi.ProtWrite); err == nil {
		return nil, errors.New("the peer's sleep word can be written")
	}
	for i, prot := range map[int]int{1: abi.ProtRead, 2: abi.ProtRead | abi.ProtWrite} {
		at, err := native.Map(e.slots[i], 0, abi.PageSize, prot)
		if err != nil {
			return nil, fmt.Errorf("map page %d of the board: %w", i, err)
		}
		if err := native.Unmap(at, abi.PageSize); err != nil {
			return nil, err
		}
	}
	var err error
	if e.at, err = native.Map(e.slots[0], 0, e.size, abi.ProtRead|abi.ProtWrite); err != nil {
		return nil, fmt.Errorf("map the channel: %w", err)
	}
	e.channel.Attach(e.at, int(e.size), side)
	e.bell = typed.Doorbell(e.slots[3])
	t.ends[binding] = e
	return e, nil
}

// detach gives up all that there is of an end, and tells the monitor.
func (t *talk) detach(e *end) error {
	delete(t.ends, e.number)
	if err := native.Unmap(e.at, e.size); err != nil {
		return err
	}
	for _, slot := range e.slots {
		if err := discard(slot); err != nil {
			return err
		}
	}
	return t.say(session.KindClose, &session.Close{Binding: e.number})
}

// send sends a message to the peer.
func (e *end) send(t *talk, kind uint8, b []byte) error {
	err := t.until(func() (bool, error) { return e.channel.Send(kind, b), nil })
	if err == nil && e.channel.NeedsDoorbell() {
		err = e.bell.Ring()
	}
	return err
}

// receive waits for a message of the peer.
func (e *end) receive(t *talk) (kind uint8, b []byte, err error) {
	var slot [urpc.PayloadSize]byte
	err = t.until(func() (bool, error) {
		k, n, ok := e.channel.Receive(&slot)
		if ok {
			kind, b = k, slot[:n]
		} else if m := take(t, func(m *session.Gone) bool { return m.Binding == e.number }); m != nil {
			return false, fmt.Errorf("the server is gone: %w", m.Error)
		}
		return ok, nil
	})
	if err == nil && e.channel.NeedsDoorbell() {
		err = e.bell.Ring()
	}
	return kind, b, err
}
