package ring

import (
	"context"
	"encoding/binary"
	"time"

	"skerry/lib/channel"
)

// Send implements channel.Conn.
func (c *Conn) Send(ctx context.Context, m *channel.Message) error {
	c.sending.Lock()
	err := c.send(ctx, m)
	c.sending.Unlock()
	return err
}

func (c *Conn) send(ctx context.Context, m *channel.Message) error {
	for pause := pauseLeast; ; pause = min(2*pause, pauseMost) {
		err := c.trySend(ctx, m)
		switch {
		case err != channel.ErrFull:
			return err
		case c.crowded:
			err = c.rest(ctx, pause)
		default:
			err = c.awaitRoom(ctx, slots(m))
		}
		if err != nil {
			return err
		}
	}
}

// How long a sender waits until it gives a capability again for which the peer had no room.
const (
	pauseLeast = time.Millisecond
	pauseMost  = 16 * time.Millisecond
)

// rest waits for a while, unless the context ends or the connection is over.
func (c *Conn) rest(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.life.Done():
		return c.reason()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// TrySend implements channel.Conn. With a capability it waits for the monitors of both
// ends to have passed that on, or to say that the peer has no room for it.
func (c *Conn) TrySend(m *channel.Message) error {
	c.sending.Lock()
	err := c.trySend(context.Background(), m)
	c.sending.Unlock()
	return err
}

// slots returns how many slots a message takes.
func slots(m *channel.Message) int {
	if m.Capability != 0 {
		return 2
	}
	return 1
}

// trySend sends m if there is room. The context is for the capability.
func (c *Conn) trySend(ctx context.Context, m *channel.Message) error {
	if c.finished.Load() != 0 || c.gone.Load() || c.out.PeerClosed() || m.Kind == 0 || m.Length > channel.PayloadSize {
		return c.unsendable(m)
	}
	if m.Capability != 0 {
		return c.sendWith(ctx, m)
	}
	if !c.out.Send(m.Kind, m.Payload[:m.Length]) {
		return c.full()
	}
	return c.sent()
}

// unsendable says why m cannot be sent, now or ever.
func (c *Conn) unsendable(m *channel.Message) error {
	if c.finished.Load() != 0 {
		return c.reason()
	}
	if err := m.Check(); err != nil && !c.gone.Load() && !c.out.PeerClosed() {
		return err
	}
	return c.unless(channel.ErrPeer)
}

// full is why the channel did not take a message.
func (c *Conn) full() error {
	c.crowded = false
	return c.unless(channel.ErrFull)
}

// unless returns an error, or ErrBroken if the channel is broken: that comes first.
func (c *Conn) unless(err channel.Error) error {
	if c.channel.Broken() {
		return channel.ErrBroken
	}
	return err
}

// sent has the peer woken if it sleeps, or owes it a turn.
func (c *Conn) sent() error {
	if c.quiet {
		return nil
	}
	if c.config.Neighbour != nil {
		c.config.Neighbour.Owe()
	}
	if c.out.PeerWaits() {
		c.hint()
		if c.gone.Load() {
			return channel.ErrPeer
		}
	}
	return nil
}

// sendWith sends m and the capability with it, which goes first.
func (c *Conn) sendWith(ctx context.Context, m *channel.Message) error {
	if c.config.Give == nil {
		return channel.ErrNoCapability
	}
	// Nobody else sends, so what room there is now stays.
	if c.out.Free() < slots(m) {
		return c.full()
	}
	ctx, cancel := c.until(ctx)
	defer cancel()
	ticket, err := c.config.Give(ctx, m.Capability)
	switch {
	case c.finished.Load() != 0:
		return c.reason()
	case err != nil:
		c.crowded = err == channel.ErrFull
		return err
	}
	var b [ticketSize]byte
	binary.LittleEndian.PutUint32(b[:], ticket)
	if !c.out.Send(kindTicket, b[:]) || !c.out.Send(m.Kind, m.Payload[:m.Length]) {
		return c.full()
	}
	return c.sent()
}

// awaitRoom waits until there is room for so many messages, or may be, or the context
// has ended, or the connection.
func (c *Conn) awaitRoom(ctx context.Context, messages int) error {
	if c.handedOver() {
		return nil
	}
	if ok, err := c.roomSpell.poll(ctx, c, func() bool { return c.out.Free() >= messages }); ok || err != nil {
		return err
	}
	err := c.room.Wait(ctx, c.announceRoom)
	c.out.Withdraw()
	return waited(err)
}

// roomOver says whether there is no sense in waiting for room.
func (c *Conn) roomOver() bool { return c.over() || c.out.PeerClosed() }

// armRoom has the peer told that it must wake who waits for room.
func (c *Conn) armRoom() bool {
	if !c.out.Announce() {
		return false
	}
	if c.roomOver() {
		c.out.Withdraw()
		return false
	}
	return true
}

// roomPending is for the pump.
func (c *Conn) roomPending() bool { return c.roomOver() || c.out.Pending() }
