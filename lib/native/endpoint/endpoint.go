// Package endpoint sends messages to the other dispatchers of a core and gets
// theirs: at most ten words and a capability each, in registers (LMP). Native
// programs import it.
//
// A call or an answer to one that is waiting goes straight to it, in a few hundred
// instructions. What is sent to one that does not wait is kept in the buffer of its
// endpoint, and it is notified.
//
// Whoever waits here waits in the kernel, and the whole dispatcher with it: all
// threads and goroutines of the program stand still until a message or a
// notification comes, or the time at which the libos has something to do, such as
// another thread's timer or turn. Then the others run, and the wait goes on when the
// thread has its turn again. So it suits servers that do nothing else, and calls
// that are answered at once.
package endpoint

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/lib/native/raw"
)

// Message is what is sent or was received.
type Message struct {
	// Words are the message, of which the first Len are sent; in one that was
	// received the others are 0.
	Words [abi.MessageWords]uint64
	Len   int
	// Capability is what a copy of is sent along, 0 for nothing: a reference of
	// level two with right Grant. Given says that one came with the message
	// that was received, into the slot that Accept had named.
	Capability capability.Reference
	Given      bool
	// Label is that of the endpoint it was received from.
	Label uint64
}

// Endpoint is one of the program's own. It is a reference, which others need a copy
// of, with right Send, to send to it.
type Endpoint capability.Reference

// Any stands for all endpoints of the program, in the order in which messages came.
const Any Endpoint = abi.AnyEndpoint

const (
	headerSize  = 128
	messageSize = 96
)

// New makes an endpoint with a buffer for at least so many messages, 1 to 84. There
// is room for twelve thousand bytes of endpoints, 96 for each message and 128 for
// each endpoint. It fails with capability.ErrMemory where none is left.
func New(messages int) (Endpoint, error) {
	rule, size := capability.Of(capability.Endpoint), sizeFor(messages)
	if size > rule.Most {
		return 0, fmt.Errorf("an endpoint for %d messages: %w", messages, capability.ErrTooBig)
	}
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	home := typed.L2CNode(capability.LevelOneReference(slot.L1()))
	dispatcher := capability.Of(capability.Dispatcher)
	for at := dispatcher.Offers; at+size <= dispatcher.Least; at += rule.Align {
		err = home.Retype(slot.Slot(), 1, capability.Base(capability.SlotDispatcher), capability.Endpoint, at, size)
		if err == nil {
			return Endpoint(slot), nil
		}
		if !errors.Is(err, capability.ErrInUse) {
			break
		}
	}
	if err == nil || errors.Is(err, capability.ErrInUse) {
		err = capability.ErrMemory
	}
	return 0, errors.Join(fmt.Errorf("an endpoint for %d messages: %w", messages, err), native.FreeSlot(slot))
}

// sizeFor returns how many bytes an endpoint for a number of messages takes.
func sizeFor(messages int) uint64 {
	rule := capability.Of(capability.Endpoint)
	size := headerSize + uint64(max(messages, 1))*messageSize
	return (size + rule.Align - 1) &^ (rule.Align - 1)
}

// Close deletes the endpoint: who sends to it or watches it learns of it.
func (e Endpoint) Close() error {
	slot := capability.Reference(e)
	home := typed.L2CNode(capability.LevelOneReference(slot.L1()))
	for {
		switch err := home.Delete(slot.Slot()); {
		case err == nil:
			return native.FreeSlot(slot)
		case !errors.Is(err, capability.ErrPending):
			return err
		}
	}
}

// Label sets what comes with every message out of the endpoint.
func (e Endpoint) Label(label uint64) error { return typed.Endpoint(e).Label(label) }

// Accept names the empty slot that the next capability sent to the endpoint goes to;
// 0: it takes none, as at first and after each one that came.
func (e Endpoint) Accept(slot capability.Reference) error { return typed.Endpoint(e).Accept(slot) }

// Watch has the endpoint say, by capability.ErrPeer from Receive or Call, once, when
// the dispatcher behind peer, with right Send, has ended, or that endpoint. It watches
// one at a time; 0: none.
func (e Endpoint) Watch(peer capability.Reference) error { return typed.Endpoint(e).Watch(peer) }

// Send sends m to an endpoint, a reference with right Send, and does not wait. If
// there is no room it returns capability.ErrFull, if it takes no capability
// capability.ErrNoSlot: the program's native.Doorbell rings when that has changed.
// capability.ErrPeer says that the dispatcher behind it has ended.
func Send(to capability.Reference, m *Message) error {
	if uint(m.Len) > abi.MessageWords {
		return capability.ErrArgument
	}
	r, words := raw.Message{Call: call(m), Endpoints: uint64(to)}, m.Words
	raw.Exchange(&r, &words)
	return errorOf(capability.Error(r.Call))
}

// Receive waits for a message to e, until a time, for ever if that is zero, and puts
// it into m. It returns capability.ErrTimeout when the time has passed, at once if it
// has already, and capability.ErrPeer, with the endpoint's label in m, when what the
// endpoint watches has ended.
func (e Endpoint) Receive(m *Message, until time.Time) error { return e.wait(m, deadline(until)) }

// Poll takes the first message to e, if there is one, and puts it into m. It returns
// capability.ErrAgain at once if there is none, and capability.ErrPeer as Receive does.
func (e Endpoint) Poll(m *Message) error {
	r := raw.Message{Call: abi.NativeCall | abi.CallMessage, Endpoints: uint64(e) << 32}
	raw.Exchange(&r, &m.Words)
	return answer(m, &r)
}

// Call sends m to an endpoint, as Send does, and waits for the next message to e, as
// Receive does, for which m is used again, also if that fails: so a client calls, with e to be answered
// at, and so a server answers and waits for the next call. What is left of the
// program's turn goes to the receiver.
func (e Endpoint) Call(to capability.Reference, m *Message, until time.Time) error {
	if uint(m.Len) > abi.MessageWords {
		return capability.ErrArgument
	}
	limit := uint64(abi.WaitForever)
	if !until.IsZero() {
		limit = deadline(until)
	}
	r := raw.Message{Call: call(m), Endpoints: uint64(to) | uint64(e)<<32, Deadline: limit}
	raw.Exchange(&r, &m.Words)
	if capability.Error(r.Call) == capability.ErrInterrupted {
		runtime.Gosched()
		return e.wait(m, limit) // it has been sent
	}
	return answer(m, &r)
}

// wait receives as often as it takes. Whenever there was something else, others have
// their turn before it goes on.
func (e Endpoint) wait(m *Message, limit uint64) error {
	for {
		r := raw.Message{Call: abi.NativeCall | abi.CallMessage, Endpoints: uint64(e) << 32, Deadline: limit}
		raw.Exchange(&r, &m.Words)
		if capability.Error(r.Call) != capability.ErrInterrupted {
			return answer(m, &r)
		}
		runtime.Gosched()
	}
}

// call is what RAX is to say that sends m.
func call(m *Message) uint64 {
	return abi.NativeCall | abi.CallMessage | uint64(m.Len)<<8 | uint64(m.Capability)<<32
}

// answer puts what came of a call that receives into m.
func answer(m *Message, r *raw.Message) error {
	if e := capability.Error(r.Call); e != capability.OK {
		if e == capability.ErrPeer {
			m.Label = r.Endpoints
		}
		return e
	}
	m.Len = int(r.Deadline & 0xff)
	m.Given, m.Label = r.Deadline&abi.MessageCapability != 0, r.Endpoints
	m.Capability = 0
	return nil
}

// errorOf makes an error of the kernel's.
func errorOf(e capability.Error) error {
	if e == capability.OK {
		return nil
	}
	return e
}

// deadline returns a time as the kernel counts it.
func deadline(until time.Time) uint64 {
	if until.IsZero() {
		return abi.WaitForever
	}
	const past = 1
	left := time.Until(until)
	if left <= 0 {
		return past
	}
	const monotonic = 1
	var now syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return past
	}
	return uint64(now.Nano() + int64(left))
}
