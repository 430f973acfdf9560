package ring

import (
	"context"
	"encoding/binary"
	"errors"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// ended is a context that has ended.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Receive implements channel.Conn.
func (c *Conn) Receive(ctx context.Context, m *channel.Message) error {
	c.receiving.Lock()
	err := (*owned)(c).Receive(ctx, m)
	c.receiving.Unlock()
	return err
}

// receiveWith waits for the message of which the ticket has come, and takes it.
func (c *Conn) receiveWith(ctx context.Context, m *channel.Message) error {
	for {
		if ok, err := c.tryReceiveWith(ctx, m); ok || err != nil {
			return err
		}
		if err := c.awaitMessage(ctx); err != nil {
			return err
		}
	}
}

// TryReceive implements channel.Conn.
func (c *Conn) TryReceive(m *channel.Message) (bool, error) {
	c.receiving.Lock()
	ok, err := c.tryReceive(m)
	c.receiving.Unlock()
	return ok, err
}

// tryReceive takes the next message if one is there, and its capability too.
func (c *Conn) tryReceive(m *channel.Message) (bool, error) {
	if c.finished.Load() != 0 {
		return false, c.reason()
	}
	if !c.ticketed {
		if !c.next(m) {
			return false, c.nothing()
		}
		if m.Kind != kindTicket {
			return true, nil
		}
		if err := c.ticketCame(m); err != nil {
			return false, err
		}
	}
	ok, err := c.tryReceiveWith(ended, m)
	if err == context.Canceled {
		return false, nil // its capability is not there yet
	}
	return ok, err
}

// next takes what is next in the ring, if something is. The peer may wait for room.
func (c *Conn) next(m *channel.Message) bool {
	kind, n, ok := c.in.Receive(&m.Payload)
	if !ok {
		return false
	}
	m.Kind, m.Length, m.Capability = kind, uint8(n), 0
	if !c.quiet && c.in.PeerWaits() {
		c.hint()
	}
	return true
}

// ticketCame notes by which ticket a capability comes with the next message.
func (c *Conn) ticketCame(m *channel.Message) error {
	if m.Length != ticketSize || c.config.Take == nil {
		return c.broke()
	}
	c.ticket, c.ticketed = binary.LittleEndian.Uint32(m.Payload[:]), true
	return nil
}

// tryReceiveWith takes the message of which the ticket has come, and its capability.
func (c *Conn) tryReceiveWith(ctx context.Context, m *channel.Message) (bool, error) {
	if !c.holding {
		if !c.next(m) {
			return false, c.nothing()
		}
		if m.Kind == kindTicket {
			return false, c.broke()
		}
		c.held, c.holding = *m, true
	}
	slot, err := c.take(ctx)
	if err != nil {
		return false, err
	}
	*m = c.held
	m.Capability = slot
	c.ticketed, c.holding = false, false
	return true, nil
}

// nothing is why there is no message: nil if one may still come, or has come meanwhile.
func (c *Conn) nothing() error {
	// Whether the peer has gone is asked first: what it sent before is there then.
	over := c.gone.Load() || c.in.PeerClosed()
	switch {
	case c.finished.Load() != 0:
		return c.reason()
	case c.in.Broken():
		return c.giveUp(channel.ErrBroken)
	case over && !c.in.Pending():
		return c.giveUp(channel.ErrPeer)
	}
	return nil
}

// take takes the capability of the message that is held.
func (c *Conn) take(ctx context.Context) (capability.Reference, error) {
	bounded, cancel := c.until(ctx)
	defer cancel()
	slot, err := c.config.Take(bounded, c.ticket)
	switch {
	case err == nil:
		return slot, nil
	case c.finished.Load() != 0:
		return 0, c.reason()
	case ctx.Err() != nil && errors.Is(err, bounded.Err()):
		return 0, ctx.Err() // it is still to come
	}
	return 0, c.broke()
}

// broke says that the peer has sent what it must not.
func (c *Conn) broke() error {
	c.channel.Break()
	return c.giveUp(channel.ErrBroken)
}

// awaitMessage waits until there is a message, or may be, or the context has ended, or
// the connection.
func (c *Conn) awaitMessage(ctx context.Context) error {
	if c.handedOver() {
		return nil
	}
	// A program that has many peers polls for few of them, and finds the others' hints.
	if c.config.Polled || c.set.Poll() {
		ok, err := c.messageSpell.poll(ctx, c, c.in.Pending)
		if !c.config.Polled {
			c.set.Polled()
		}
		if ok || err != nil {
			return err
		}
	}
	err := c.message.Wait(ctx, c.announceMessage)
	c.in.Withdraw()
	return waited(err)
}

// messageOver says whether there is no sense in waiting for messages.
func (c *Conn) messageOver() bool { return c.over() || c.in.PeerClosed() }

// armMessage has the peer told that it must wake who waits for messages.
func (c *Conn) armMessage() bool {
	if !c.in.Announce() {
		return false
	}
	if c.messageOver() {
		c.in.Withdraw()
		return false
	}
	return true
}

// messagePending is for the pump.
func (c *Conn) messagePending() bool { return c.messageOver() || c.in.Pending() }
