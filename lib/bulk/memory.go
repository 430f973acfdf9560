package bulk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/slots"
	"skerry/lib/urpc"
)

// Memory is memory of the program's own that it can share with others: on Skerry
// alone.
type Memory struct {
	ram, frame, shared capability.Reference
	bytes              []byte
}

// NewMemory makes memory of at least so many bytes, all zero.
func NewMemory(bytes int) (*Memory, error) {
	size := uint64(1) << bits.Len(uint(max(bytes, abi.PageSize)-1))
	m := new(Memory)
	err := m.make(size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%d bytes of memory to share: %w", size, err), m.Free(nil))
	}
	return m, nil
}

func (m *Memory) make(size uint64) (err error) {
	if m.ram, err = native.Slot(); err != nil {
		return err
	}
	if err = native.RAM(size, m.ram); err != nil {
		return errors.Join(err, m.forget(&m.ram))
	}
	if m.frame, err = native.Slot(); err != nil {
		return err
	}
	if err = again(capability.ErrInUse, func() error { // other cores are to forget what was there
		return slots.Home(m.frame).Retype(m.frame.Slot(), 1, m.ram, capability.Frame, 0, size)
	}); errors.Is(err, capability.ErrPending) {
		err = again(capability.ErrNotReady, typed.Frame(m.frame).Nop)
	}
	if err != nil {
		return err
	}
	// What others get can do nothing but be mapped.
	if m.shared, err = slots.Mint(m.frame, capability.RightRead|capability.RightWrite|capability.RightGrant); err != nil {
		return err
	}
	m.bytes, err = mapped(m.frame, size)
	return err
}

// again calls f for as long as it fails with an error that passes by itself: each call has the
// kernel do a piece of what is to be done.
func again(passes capability.Error, f func() error) (err error) {
	const most = 1 << 20
	for range most {
		if err = f(); !errors.Is(err, passes) {
			return err
		}
		runtime.Gosched()
	}
	return err
}

// forget gives back a slot that is empty.
func (m *Memory) forget(slot *capability.Reference) error {
	r := *slot
	*slot = 0
	return native.FreeSlot(r)
}

// mapped maps a frame, readable and writable.
func mapped(frame capability.Reference, size uint64) ([]byte, error) {
	at, err := native.Map(frame, 0, size, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), size), nil
}

func unmap(b []byte) error {
	return native.Unmap(uintptr(unsafe.Pointer(unsafe.SliceData(b))), uint64(len(b)))
}

// Free takes the memory from all that have it and gives it back. Whoever touches it after
// that faults, in this program and in others: call it when the peers have closed what they
// have of it. withdraw has other cores give it up, as bind.Withdraw does; nil: it was sent to
// none.
func (m *Memory) Free(withdraw func(capability.Reference) error) (err error) {
	if m.bytes != nil {
		err = unmap(m.bytes)
		m.bytes = nil
	}
	if withdraw != nil && m.shared != 0 && err == nil {
		err = withdraw(m.shared)
	}
	for _, slot := range []*capability.Reference{&m.shared, &m.frame} {
		if *slot != 0 && err == nil {
			err = slots.Drop(*slot)
			*slot = 0
		}
	}
	if m.ram == 0 || err != nil {
		return err
	}
	err = again(capability.ErrPending, func() error { return slots.Home(m.ram).Revoke(m.ram.Slot()) })
	if err == nil {
		err = native.GiveRAM(m.ram)
		m.ram = 0
	}
	return err
}

// kindOffer is the message by which a stream begins, with a capability to its memory and
// its Layout as three words of 32 bits.
const (
	kindOffer = 3
	offerSize = 12
)

// Offer gives the peer the memory, cut as the layout says, and returns this end of a stream
// over the connection, side A. The connection is the stream's then. The memory is still the
// caller's, who frees it when the stream and its peer have ended.
func Offer(ctx context.Context, c channel.Conn, m *Memory, l Layout) (*Stream, error) {
	r, err := NewRegion(m.bytes, l, urpc.A)
	if err != nil {
		return nil, err
	}
	offer := channel.Message{Kind: kindOffer, Length: offerSize, Capability: m.shared}
	l.put(offer.Payload[:])
	if err := c.Send(ctx, &offer); err != nil {
		return nil, fmt.Errorf("offer memory: %w", err)
	}
	return NewStream(c, r), nil
}

// Accept takes what the peer offers, of no more than so many bytes, and returns this end of a
// stream over the connection, side B. It trusts the peer not to take the memory
// back: to touch it then is a fault, as package runtime/debug says of SetPanicOnFault.
func Accept(ctx context.Context, c channel.Conn, most int) (*Stream, error) {
	var offer channel.Message
	if err := c.Receive(ctx, &offer); err != nil {
		return nil, fmt.Errorf("memory that is offered: %w", err)
	}
	s, err := accept(c, &offer, most)
	if err != nil && offer.Capability != 0 {
		err = errors.Join(err, slots.Drop(offer.Capability))
	}
	return s, err
}

func accept(c channel.Conn, offer *channel.Message, most int) (*Stream, error) {
	l, err := layoutOf(offer, most)
	if err != nil {
		return nil, err
	}
	d, err := native.Identify(offer.Capability)
	if err != nil {
		return nil, err
	}
	if d.Type != capability.Frame || d.Size < uint64(l.Size()) {
		return nil, fmt.Errorf("the peer offers a %v of %d bytes as %d of memory: %w", d.Type, d.Size, l.Size(), channel.ErrBroken)
	}
	size := (uint64(l.Size()) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	bytes, err := mapped(offer.Capability, size)
	if err != nil {
		return nil, fmt.Errorf("map the memory that is offered: %w", err)
	}
	r, err := NewRegion(bytes, l, urpc.B)
	if err != nil {
		return nil, errors.Join(err, unmap(bytes))
	}
	s := NewStream(c, r)
	s.release = func() error { return errors.Join(unmap(bytes), slots.Drop(offer.Capability)) }
	return s, nil
}

// put writes l into the first offerSize bytes of b.
func (l *Layout) put(b []byte) {
	for i, n := range []int{l.BufferSize, l.Buffers[urpc.A], l.Buffers[urpc.B]} {
		binary.LittleEndian.PutUint32(b[4*i:], uint32(n))
	}
}

// layoutOf returns the layout that the peer offers, of no more than so many bytes.
func layoutOf(offer *channel.Message, most int) (l Layout, err error) {
	if offer.Kind != kindOffer || offer.Length != offerSize || offer.Capability == 0 {
		return l, fmt.Errorf("kind %d with %d bytes is no offer of memory: %w", offer.Kind, offer.Length, channel.ErrBroken)
	}
	for i, n := range []*int{&l.BufferSize, &l.Buffers[urpc.A], &l.Buffers[urpc.B]} {
		*n = int(int32(binary.LittleEndian.Uint32(offer.Payload[4*i:])))
	}
	if err = l.Check(); err == nil && l.Size() > most {
		err = fmt.Errorf("it is %d bytes, and may be %d", l.Size(), most)
	}
	if err != nil {
		err = fmt.Errorf("the peer offers %w: %w", err, channel.ErrBroken)
	}
	return l, err
}
