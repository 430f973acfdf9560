package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// give gives a copy of a capability to the peer, and returns by which ticket it
// goes. It fails with channel.ErrFull while the peer has no room for it. If the context ends before it is there, the peer has it all the same
// until it closes its end.
func (b *binding) give(ctx context.Context, c capability.Reference) (uint32, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 16*time.Millisecond) {
		ticket, err := b.giveOnce(ctx, c)
		if err != session.ErrEarly {
			return ticket, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// giveOnce is give that fails with session.ErrEarly while the peer does not know of the
// binding.
func (b *binding) giveOnce(ctx context.Context, c capability.Reference) (uint32, error) {
	m := b.m
	slot, err := m.exchange.put(ctx, c, capability.AllRights)
	if err != nil {
		return 0, err
	}
	ticket, r := m.begin()
	m.send(session.KindGive, &session.Give{Binding: b.id, Ticket: ticket, Slot: slot, Rights: uint8(capability.AllRights)})
	given, err := as[*session.Given](m.await(ctx, ticket, r, 0, func(any) { m.exchange.empty(slot) }))
	if err != nil {
		return 0, err
	}
	m.exchange.empty(slot)
	switch given.Error {
	case session.ErrNone:
		return ticket, nil
	case session.ErrDied:
		return 0, channel.ErrPeer
	case session.ErrFull:
		return 0, channel.ErrFull
	case session.ErrTravel:
		return 0, fmt.Errorf("capability of type %v: %w", m.system.typeOf(c), session.ErrTravel)
	}
	return 0, given.Error
}

// arrived takes a capability that a peer has given out of the exchange.
func (m *Machine) arrived(x *session.Arrived) {
	b := m.bindingOf(x.Binding)
	if b == nil {
		m.exchange.discard(int(x.Slot))
		return
	}
	// Where there is no slot for it, it is lost, and who waits for it is told.
	c, err := m.exchange.take(int(x.Slot))
	if errors.Is(err, capability.ErrEmpty) {
		// It has been withdrawn. That could have been when it had been received, too.
		c, _ = m.system.slot()
	}
	b.mu.Lock()
	_, twice := b.arrivals[x.Ticket]
	keep := !b.over && !twice && len(b.arrivals) < b.most
	if keep {
		if b.arrivals == nil {
			b.arrivals = map[uint32]capability.Reference{}
		}
		b.arrivals[x.Ticket] = c
	} else {
		b.flooded = true
	}
	b.mu.Unlock()
	if !keep && c != 0 {
		// What cannot be dropped stays until the program ends.
		_ = m.system.drop(c)
	}
	b.rouse()
}

// arrival returns the slot with what the peer has given by a ticket, for which it
// waits as long as the context lasts.
func (b *binding) arrival(ctx context.Context, ticket uint32) (capability.Reference, error) {
	for {
		b.mu.Lock()
		c, ok := b.arrivals[ticket]
		delete(b.arrivals, ticket)
		flooded, over := b.flooded, b.over
		b.mu.Unlock()
		switch {
		case ok && c != 0:
			return c, nil
		case ok:
			return 0, session.ErrMemory
		case flooded:
			return 0, channel.ErrBroken
		case over:
			return 0, channel.ErrPeer
		}
		select {
		case <-b.came:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
