package tcp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"skerry/lib/channel"
)

// On the wire a message is a byte of kind, one of length, and its payload.
const header = 2

// depthUsual is how many messages are kept in each direction if nothing else is
// asked for, beside what the network keeps.
const depthUsual = 64

// parting is how long a connection that has been closed goes on to send what was
// sent before, and to wait for the other to have taken it.
const parting = 2 * time.Second

// conn is a channel.Conn over a TCP connection.
type conn struct {
	net     *net.TCPConn
	binding channel.Binding
	out, in chan channel.Message
	close   sync.Once
	done    chan struct{} // closed by Close
	gone    chan struct{} // closed when nothing more comes
	why     error         // why; valid when gone is closed
	unsent  chan struct{} // closed when nothing more can be sent
}

// newConn returns a connection on which nothing moves before start.
func newConn(c *net.TCPConn, depth int, b channel.Binding) *conn {
	if depth <= 0 {
		depth = depthUsual
	}
	return &conn{
		net: c, binding: b,
		out: make(chan channel.Message, depth), in: make(chan channel.Message, depth),
		done: make(chan struct{}), gone: make(chan struct{}), unsent: make(chan struct{}),
	}
}

func (c *conn) start() *conn {
	go c.write()
	go c.read()
	return c
}

// writeMessage writes a message to w.
func writeMessage(w io.Writer, m *channel.Message) error {
	var b [header + channel.PayloadSize]byte
	b[0], b[1] = m.Kind, m.Length
	n := header + copy(b[header:], m.Payload[:min(m.Length, channel.PayloadSize)])
	_, err := w.Write(b[:n])
	return err
}

// readMessage reads a message from r. It fails with channel.ErrBroken if it is none.
func readMessage(r io.Reader, m *channel.Message) error {
	var b [header]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return err
	}
	*m = channel.Message{Kind: b[0], Length: b[1]}
	if m.Kind == 0 || m.Length > channel.PayloadSize {
		return channel.ErrBroken
	}
	_, err := io.ReadFull(r, m.Payload[:m.Length])
	return err
}

// write sends what is in out, until the connection is closed and out empty, or
// nothing can be sent.
func (c *conn) write() {
	defer close(c.unsent)
	defer c.net.CloseWrite()
	w := bufio.NewWriter(c.net)
	for {
		var m channel.Message
		select {
		case m = <-c.out:
		default:
			if w.Flush() != nil {
				return
			}
			select {
			case m = <-c.out:
			case <-c.done:
				select {
				case m = <-c.out: // sent before it was closed
				default:
					return
				}
			}
		}
		if writeMessage(w, &m) != nil {
			return
		}
	}
}

// read puts what comes into in, until nothing more comes. When this end is closed it
// takes what comes and forgets it, so that the other can go on to the end.
func (c *conn) read() {
	r := bufio.NewReader(c.net)
	for {
		var m channel.Message
		if err := readMessage(r, &m); err != nil {
			c.why = channel.ErrPeer
			if errors.Is(err, channel.ErrBroken) {
				c.why = channel.ErrBroken
			}
			break
		}
		select {
		case c.in <- m:
		case <-c.done:
		}
	}
	close(c.gone)
	if c.why == channel.ErrBroken {
		c.net.Close()
	}
	<-c.done
	<-c.unsent
	c.net.Close()
}

// Binding implements channel.Conn.
func (c *conn) Binding() channel.Binding { return c.binding }

// Send implements channel.Conn.
func (c *conn) Send(ctx context.Context, m *channel.Message) error {
	err := c.TrySend(m)
	if err != channel.ErrFull {
		return err
	}
	select {
	case c.out <- *m:
		return nil
	case <-c.done:
		return channel.ErrClosed
	case <-c.gone:
		return c.why
	case <-c.unsent:
		return channel.ErrPeer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TrySend implements channel.Conn.
func (c *conn) TrySend(m *channel.Message) error {
	if err := c.dead(); err != nil {
		return err
	}
	if err := m.Check(); err != nil {
		return err
	}
	if m.Capability != 0 {
		return channel.ErrNoCapability
	}
	select {
	case c.out <- *m:
		return nil
	default:
		return channel.ErrFull
	}
}

// dead says why nothing moves any more.
func (c *conn) dead() error {
	select {
	case <-c.done:
		return channel.ErrClosed
	default:
	}
	select {
	case <-c.gone:
		return c.why
	default:
	}
	select {
	case <-c.unsent:
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
	case <-c.gone:
		if ok, err := c.TryReceive(m); ok || err != nil {
			return err
		}
		return c.why
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
	var dead error
	select {
	case <-c.gone:
		dead = c.why
	default:
	}
	select {
	case *m = <-c.in:
		return true, nil
	default:
		return false, dead
	}
}

// Close implements channel.Conn. What was sent before goes out for a while still.
func (c *conn) Close() error {
	c.close.Do(func() {
		close(c.done)
		c.net.SetDeadline(time.Now().Add(parting))
	})
	return nil
}
