package ring

import (
	"context"
	"encoding/binary"
	"errors"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/pause"
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
	err := c.receive(ctx, m)
	c.receiving.Unlock()
	return err
}

func (c *Conn) receive(ctx context.Context, m *channel.Message) error {
	for {
		if ok, err := c.tryReceive(ctx, m, c.looks); ok || err != nil {
			c.messageSpell.courtesy.Received(c.set)
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
	ok, err := c.look(m)
	c.receiving.Unlock()
	return ok, err
}

// look is TryReceive for whom nobody disturbs.
func (c *Conn) look(m *channel.Message) (bool, error) {
	ok, err := c.tryReceive(ended, m, 1)
	if err == context.Canceled {
		return false, nil // its capability is not there yet
	}
	return ok, err
}

// tryReceive takes the next message if one is there when it is looked for so many times. The context is for
// its capability.
func (c *Conn) tryReceive(ctx context.Context, m *channel.Message, looks int) (bool, error) {
	if c.finished.Load() != 0 {
		return false, c.reason()
	}
	if !c.ticketed {
		kind, n, ok := c.in.Receive(&m.Payload)
		for ; !ok && looks > 1; looks-- {
			pause.Times(1)
			kind, n, ok = c.in.Receive(&m.Payload)
		}
		if !ok {
			return false, c.nothing()
		}
		received(m, kind, n)
		if !c.quiet && c.in.PeerWaits() {
			c.hint()
		}
		if kind != kindTicket {
			return true, nil
		}
		if n != ticketSize || c.config.Take == nil {
			return false, c.broke()
		}
		c.ticket, c.ticketed = binary.LittleEndian.Uint32(m.Payload[:]), true
	}
	return c.tryReceiveWith(ctx, m)
}

// tryReceiveWith takes the message of which the ticket has come, and its capability.
func (c *Conn) tryReceiveWith(ctx context.Context, m *channel.Message) (bool, error) {
	if !c.holding {
		kind, n, ok := c.in.Receive(&m.Payload)
		if !ok {
			return false, c.nothing()
		}
		received(m, kind, n)
		if !c.quiet && c.in.PeerWaits() {
			c.hint()
		}
		if kind == kindTicket {
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

// received completes a message that has come. The peer may wait for room.
func received(m *channel.Message, kind uint8, n int) {
	m.Kind, m.Length, m.Capability = kind, uint8(n), 0
}

// nothing is why there is no message: nil if one may still come, or has come meanwhile.
func (c *Conn) nothing() error {
	// Whether the peer has gone is asked first: what it sent before is there then.
	over := c.gone.Load() || c.in.PeerClosed()
	switch {
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
