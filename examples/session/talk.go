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
}

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
	slots   [4]capability.Reference // frame, sleep, hints, doorbell
	bell    typed.Doorbell
}

func open() (*talk, error) {
	if _, err := native.Identify(capability.LevelOneReference(capability.Exchange(0).L1())); err != nil {
		return nil, fmt.Errorf("this program was not given messages: %w", err)
	}
	doorbell, err := native.OpenDoorbell()
	if err != nil {
		return nil, err
	}
	t := &talk{doorbell: doorbell, rung: make(chan error, 1), ends: make(map[uint32]*end)}
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

// hear takes what the monitor has said.
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

// fetch moves what came in a slot of the exchange to a slot of the program's own.
func fetch(slot uint8) (capability.Reference, error) {
	own, err := native.Slot()
	if err != nil {
		return 0, err
	}
	return own, cnode(own).Move(own.Slot(), capability.Exchange(uint32(slot)))
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

// attach makes an end of what the monitor says of it.
func (t *talk) attach(binding, size uint32, slot uint8, side urpc.Side) (*end, error) {
	e := &end{number: binding, size: uint64(size)}
	for i := range e.slots {
		var err error
		if e.slots[i], err = fetch(slot + uint8(i)); err != nil {
			return nil, fmt.Errorf("fetch %d: %w", i, err)
		}
	}
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
