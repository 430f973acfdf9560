// Package lmp carries messages between two programs of one core through its kernel:
// a channel.Conn over an endpoint of each.
//
// A message is a word of what it is and up to seven of payload, and may have a
// capability along, which the kernel copies. It is kept in the receiver's endpoint;
// a goroutine that finds that empty, or the peer's full, gives the peer a turn, and parks
// if that did not help until the kernel has notified the program and the program's wait.Set
// has asked again. A program with several
// dispatchers cannot be bound so, since only one of them has the endpoint.
//
// Package bind imports it. It must never wait in the kernel, where all of the program
// would wait with it.
package lmp

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/endpoint"
	"skerry/lib/wait"
)

// Config is what a connection is made of.
type Config struct {
	Own     endpoint.Endpoint    // where messages come; the connection's to close
	Peer    capability.Reference // an endpoint of the peer's, with right Send; OnClose's to drop
	Set     *wait.Set
	Binding channel.Binding
	OnClose func() error // called once, when Close has given up what is above; may be nil
}

// Conn is one end.
type Conn struct {
	port    port
	binding channel.Binding
	onClose func() error

	came, room       *wait.Item // something may have come; there may be room at the peer
	armCame, armRoom func() bool

	mu   sync.Mutex // of what the kernel has handed out and nobody has received yet
	held endpoint.Message
	has  bool

	courtesy wait.Courtesy // the receiver's

	sending endpoint.Message // the sender's: what it sends,
	sent    error            // and what came of it

	set       *wait.Set
	neighbour *wait.Neighbour // the peer

	over atomic.Uint32 // a channel.Error once the peer is gone or has broken the rules
	// finished is why nothing is touched any more, a channel.Error; 0 while something is.
	finished atomic.Uint32
	users    sync.RWMutex // held by those inside of a method; who gives up waits for them
	release  sync.Once
	failed   error // what came of that
}

// port is the two endpoints. Its errors are those of package endpoint.
type port interface {
	send(m *endpoint.Message) error
	poll(m *endpoint.Message) error
	// accept has the next capability come, and returns the slot of the one that
	// has come since.
	accept() (capability.Reference, error)
	// yield gives the rest of the program's turn to the peer.
	yield()
	// close gives up all, the capability of a message that was not received too.
	close() error
}

// New returns a connection over two endpoints. If it fails they are the caller's still.
func New(c Config) (*Conn, error) {
	own, err := native.Identify(capability.Reference(c.Own))
	if err != nil {
		return nil, err
	}
	p := &kernelPort{own: c.Own, peer: c.Peer, place: abi.EndpointPlace(own.Base)}
	if _, err := p.accept(); err != nil {
		return nil, err
	}
	n, err := newConn(p, &c)
	if err != nil {
		return nil, errors.Join(err, p.refuse())
	}
	return n, nil
}

func newConn(p port, config *Config) (*Conn, error) {
	c := &Conn{port: p, binding: config.Binding, onClose: config.OnClose, set: config.Set}
	var err error
	if c.came, err = config.Set.Add(c.pending); err != nil {
		return nil, err
	}
	// Of room there is no sign but the doorbell: whoever waits for it tries again.
	if c.room, err = config.Set.Add(func() bool { return true }); err != nil {
		c.came.Remove()
		return nil, err
	}
	c.neighbour = c.set.Neighbour(p.yield)
	c.armCame = func() bool { return !c.pending() }
	c.armRoom = func() bool { c.sent = c.try(); return c.sent == channel.ErrFull }
	return c, nil
}

// Binding implements channel.Conn.
func (c *Conn) Binding() channel.Binding { return c.binding }

// Gone says that the peer has closed its end or has died: what it sent before can still
// be received; when there is nothing left the connection is given up. It may be called at
// any time, by any goroutine.
func (c *Conn) Gone() { c.end(channel.ErrPeer) }

// end notes why nothing goes on, once, and has whoever waits look.
func (c *Conn) end(why channel.Error) {
	if c.over.CompareAndSwap(0, uint32(why)) {
		go c.look()
	}
	c.came.Wake()
	c.room.Wake()
}

// look gives the connection up if it is over and there is nothing to be received.
func (c *Conn) look() {
	c.users.RLock()
	defer c.users.RUnlock()
	if c.finished.Load() != 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if why := channel.Error(c.over.Load()); why == channel.ErrBroken || !c.fetch() {
		c.giveUp(why)
	}
}

// giveUp has nothing be kept of a connection over which nothing can come any more, whether
// it will be closed or not, and returns why.
func (c *Conn) giveUp(why channel.Error) error {
	if c.finished.CompareAndSwap(0, uint32(why)) {
		go c.leave()
	}
	return why
}

// Send implements channel.Conn.
func (c *Conn) Send(ctx context.Context, m *channel.Message) error {
	c.users.RLock()
	defer c.users.RUnlock()
	if err := c.put(m); err != channel.ErrFull {
		return err
	}
	c.neighbour.Owe()
	c.set.HandOver()
	for {
		c.sent = channel.ErrFull
		// armRoom tries again: the kernel is to tell of room from then on.
		err := c.room.Wait(ctx, c.armRoom)
		if c.sent != channel.ErrFull {
			return c.sent
		}
		if err != nil {
			return err
		}
	}
}

// TrySend implements channel.Conn.
func (c *Conn) TrySend(m *channel.Message) error {
	c.users.RLock()
	defer c.users.RUnlock()
	return c.put(m)
}

// put sends m if there is room.
func (c *Conn) put(m *channel.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	encode(&c.sending, m)
	return c.try()
}

// try sends what is in sending if there is room.
func (c *Conn) try() error {
	if why := channel.Error(c.finished.Load()); why != 0 {
		return why
	}
	if over := channel.Error(c.over.Load()); over != 0 {
		return over
	}
	switch err := c.port.send(&c.sending); err {
	case nil:
		c.neighbour.Owe()
		return nil
	case capability.ErrFull, capability.ErrNoSlot:
		return channel.ErrFull
	case capability.ErrPeer:
		c.end(channel.ErrPeer)
		return channel.ErrPeer
	default:
		return err
	}
}

// Receive implements channel.Conn.
func (c *Conn) Receive(ctx context.Context, m *channel.Message) error {
	c.users.RLock()
	defer c.users.RUnlock()
	for {
		if ok, err := c.take(m); ok || err != nil {
			c.courtesy.Received(c.set)
			return err
		}
		if c.set.HandOver() {
			continue
		}
		if err := c.came.Wait(ctx, c.armCame); err != nil {
			return err
		}
	}
}

// TryReceive implements channel.Conn.
func (c *Conn) TryReceive(m *channel.Message) (bool, error) {
	c.users.RLock()
	defer c.users.RUnlock()
	return c.take(m)
}

// take takes the next message if there is one.
func (c *Conn) take(m *channel.Message) (bool, error) {
	if why := channel.Error(c.finished.Load()); why != 0 {
		return false, why
	}
	// Asked before the look: what the peer sent before it went is there then.
	over := channel.Error(c.over.Load())
	if over == channel.ErrBroken {
		return false, over
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fetch() {
		if over != 0 {
			return false, c.giveUp(over)
		}
		return false, nil
	}
	c.has = false
	m.Capability = 0
	if c.held.Given {
		var err error
		if m.Capability, err = c.port.accept(); err != nil {
			return false, err
		}
	}
	if !decode(m, &c.held) {
		c.end(channel.ErrBroken)
		return false, channel.ErrBroken
	}
	return true, nil
}

// fetch reports whether there is a message in held, into which it takes the next if
// not.
func (c *Conn) fetch() bool {
	if !c.has {
		c.has = c.port.poll(&c.held) == nil
	}
	return c.has
}

// pending reports whether there is something for a receiver.
func (c *Conn) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finished.Load() != 0 || c.over.Load() != 0 || c.fetch()
}

// Close implements channel.Conn.
func (c *Conn) Close() error {
	c.finished.Store(uint32(channel.ErrClosed))
	c.leave()
	return c.failed
}

// leave waits for those who are in methods to leave, and gives up, once, what the
// connection is made of.
func (c *Conn) leave() {
	c.release.Do(func() {
		c.came.Wake()
		c.room.Wake()
		c.users.Lock()
		defer c.users.Unlock()
		c.neighbour.Leave()
		c.came.Remove()
		c.room.Remove()
		c.failed = c.port.close()
		if c.onClose != nil {
			c.failed = errors.Join(c.failed, c.onClose())
		}
	})
}

// The first word of a message has its kind and the length of its payload.
const lengthShift = 8

// payloadWords are those after it, of a message with as much payload as there may be.
const payloadWords = channel.PayloadSize / 8

// words is how many words a message takes with a payload of so many bytes.
func words(length uint8) int { return 1 + (int(length)+7)/8 }

func encode(w *endpoint.Message, m *channel.Message) {
	w.Len = words(m.Length)
	w.Words[0] = uint64(m.Kind) | uint64(m.Length)<<lengthShift
	for i := range payloadWords {
		w.Words[1+i] = binary.LittleEndian.Uint64(m.Payload[8*i:]) // Len says how many go
	}
	w.Capability = m.Capability
}

// decode returns whether w is a message, and if so in m which.
func decode(m *channel.Message, w *endpoint.Message) bool {
	head := w.Words[0]
	m.Kind, m.Length = uint8(head), uint8(head>>lengthShift)
	if head>>(2*lengthShift) != 0 || m.Kind == 0 || m.Length > channel.PayloadSize || w.Len != words(m.Length) {
		return false
	}
	for i := range payloadWords {
		binary.LittleEndian.PutUint64(m.Payload[8*i:], w.Words[1+i])
	}
	return true
}
