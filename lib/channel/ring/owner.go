package ring

import (
	"context"

	"skerry/lib/channel"
	"skerry/lib/pause"
)

// owned is a Conn as its owner sees it, who sees to it that nobody is in one of its methods
// while the frame is given up. So they need no locks.
type owned Conn

// Unguarded implements channel.Guarded.
func (c *Conn) Unguarded(exclusively func(f func())) channel.Conn {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	c.sending.Lock()
	defer c.sending.Unlock()
	c.owner = exclusively
	return (*owned)(c)
}

// exclusively has f run while nobody sends nor receives.
func (c *Conn) exclusively(f func()) {
	if owner := c.guarded(f); owner != nil {
		owner(f)
	}
}

// guarded runs f, or returns by what the owner has it run, if there is one.
func (c *Conn) guarded(f func()) (owner func(f func())) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.owner == nil {
		f()
	}
	return c.owner
}

func (o *owned) Send(ctx context.Context, m *channel.Message) error { return (*Conn)(o).send(ctx, m) }

// TrySend does what trySend does, but by whole payloads: nobody else's are in the owner's messages.
func (o *owned) TrySend(m *channel.Message) error {
	c := (*Conn)(o)
	switch {
	case m.Capability != 0, m.Kind == 0, c.finished.Load() != 0, c.gone.Load(),
		!c.out.SendWhole(m.Kind, int(m.Length), &m.Payload):
		return c.trySend(context.Background(), m) // which says why it cannot be sent, if so
	case c.quiet:
		return nil
	}
	return c.sent()
}

// Receive is written for messages without capabilities that come soon, and calls nothing but
// the channel for those: what next does is done here too, without its frame.
func (o *owned) Receive(ctx context.Context, m *channel.Message) error {
	c := (*Conn)(o)
	// For the last message, since nobody waits for what is done now.
	c.messageSpell.courtesy.Received(c.set)
	if c.finished.Load() != 0 {
		return c.reason()
	}
	for looks := c.looks; !c.ticketed; {
		kind, n, ok := c.in.Receive(&m.Payload)
		if ok {
			m.Kind, m.Length, m.Capability = kind, uint8(n), 0
			if !c.quiet && c.in.PeerWaits() {
				c.hint()
			}
			if kind != kindTicket {
				return nil
			}
			if err := c.ticketCame(m); err != nil {
				return err
			}
		} else if looks--; looks > 0 {
			pause.Times(1)
		} else if err := c.nothing(); err != nil {
			return err
		} else if err := c.awaitMessage(ctx); err != nil {
			return err
		}
	}
	return c.receiveWith(ctx, m)
}

func (o *owned) TryReceive(m *channel.Message) (bool, error) { return (*Conn)(o).tryReceive(m) }

func (o *owned) Close() error { return (*Conn)(o).Close() }

func (o *owned) Binding() channel.Binding { return (*Conn)(o).Binding() }
