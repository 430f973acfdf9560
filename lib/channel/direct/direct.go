// Package direct connects two ends in one program: a channel.Conn that no kernel
// and no shared memory has to do with.
//
// Package bind imports it. It runs on Skerry and on a host alike. It allocates
// nothing for a message, and must never touch a capability but by the function that
// it is given.
package direct

import (
	"context"
	"sync"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// depthUsual is how many messages may be under way if nothing else is asked for.
const depthUsual = 64

// Capabilities is how a program passes a capability to itself: Copy puts a copy into
// a slot of its own, which Drop empties and frees. Either may be nil where there are
// none.
type Capabilities struct {
	Copy func(capability.Reference) (capability.Reference, error)
	Drop func(capability.Reference) error
}

// New returns two ends that are bound to each other, with room for so many messages
// under way in each direction; 0: what is usual.
func New(depth int, b channel.Binding, c Capabilities) (channel.Conn, channel.Conn) {
	if depth <= 0 {
		depth = depthUsual
	}
	one := &conn{in: make(chan channel.Message, depth), done: make(chan struct{}), binding: b, capabilities: c}
	other := &conn{in: make(chan channel.Message, depth), done: make(chan struct{}), binding: b, capabilities: c}
	one.peer, other.peer = other, one
	return one, other
}

// conn is one end.
type conn struct {
	in           chan channel.Message // what the peer has sent
	peer         *conn
	binding      channel.Binding
	capabilities Capabilities
	close        sync.Once
	done         chan struct{} // closed by Close
}

// Binding implements channel.Conn.
func (c *conn) Binding() channel.Binding { return c.binding }

// Send implements channel.Conn.
func (c *conn) Send(ctx context.Context, m *channel.Message) error {
	return c.send(m, ctx.Done(), ctx)
}

// TrySend implements channel.Conn.
func (c *conn) TrySend(m *channel.Message) error { return c.send(m, nil, nil) }

// send sends m, and waits for room if there is a context.
func (c *conn) send(m *channel.Message, cancelled <-chan struct{}, ctx context.Context) error {
	if err := c.dead(); err != nil {
		return err
	}
	if err := m.Check(); err != nil {
		return err
	}
	out := *m
	if m.Capability != 0 {
		if c.capabilities.Copy == nil {
			return channel.ErrNoCapability
		}
		copied, err := c.capabilities.Copy(m.Capability)
		if err != nil {
			return err
		}
		out.Capability = copied
	}
	err := c.put(&out, cancelled, ctx)
	if out.Capability != 0 {
		if err != nil {
			c.drop(&out)
		} else if c.dead() != nil {
			// An end closed meanwhile, and may have missed it.
			c.peer.drain()
		}
	}
	return err
}

func (c *conn) put(out *channel.Message, cancelled <-chan struct{}, ctx context.Context) error {
	select {
	case c.peer.in <- *out:
		return nil
	default:
	}
	if ctx == nil {
		return channel.ErrFull
	}
	select {
	case c.peer.in <- *out:
		return nil
	case <-c.done:
		return channel.ErrClosed
	case <-c.peer.done:
		return channel.ErrPeer
	case <-cancelled:
		return ctx.Err()
	}
}

// dead says why nothing can be sent any more.
func (c *conn) dead() error {
	select {
	case <-c.done:
		return channel.ErrClosed
	default:
	}
	select {
	case <-c.peer.done:
		return channel.ErrPeer
	default:
		return nil
	}
}

// Receive implements channel.Conn.
func (c *conn) Receive(ctx context.Context, m *channel.Message) error {
	if ok, err := c.TryReceive(m); ok || err != nil {
		return err
	}
	select {
	case *m = <-c.in:
		return nil
	case <-c.done:
		return channel.ErrClosed
	case <-c.peer.done:
		if ok, err := c.TryReceive(m); ok || err != nil {
			return err
		}
		return channel.ErrPeer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TryReceive implements channel.Conn.
func (c *conn) TryReceive(m *channel.Message) (bool, error) {
	select {
	case <-c.done:
		return false, channel.ErrClosed
	default:
	}
	// Whether the peer has closed is asked first: what it sent before is there then.
	dead := c.dead()
	select {
	case *m = <-c.in:
		return true, nil
	default:
		return false, dead
	}
}

// Close implements channel.Conn.
func (c *conn) Close() error {
	c.close.Do(func() {
		close(c.done)
		c.drain()
	})
	return nil
}

// drain drops what nobody will receive.
func (c *conn) drain() {
	select {
	case <-c.done:
	default:
		return
	}
	for {
		select {
		case m := <-c.in:
			c.drop(&m)
		default:
			return
		}
	}
}

// drop drops the capability of a message that nobody will receive.
func (c *conn) drop(m *channel.Message) {
	if m.Capability != 0 && c.capabilities.Drop != nil {
		// Where it cannot be dropped it stays in its slot until the program ends.
		_ = c.capabilities.Drop(m.Capability)
	}
}
