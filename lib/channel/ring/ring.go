// Package ring connects two ends by a urpc channel in memory that both share: a
// channel.Conn between two cores, with no kernel on the way of a message.
//
// A receiver first gives a peer on its own core a turn, if it has sent it anything. Then it
// polls the ring for a while, the longer the more often that has helped, as long as no other
// program wants the core, and tells its peer that it must be woken and parks its goroutine (package wait). The
// sender leaves a hint on its board then, and rings only if its pump sleeps as well. In the
// polled form nobody ever sleeps nor rings, and who polls yields to who wants the core: that
// suits two cores that have nothing else to do.
//
// Kind 0 is the package's own: such a message says by which ticket a capability comes
// with the next one.
//
// The peer may do to the frame what it likes: that breaks this connection
// (channel.ErrBroken), or brings messages that make no sense, and harms nothing else.
//
// Package bind imports it. It runs on Skerry and on a host alike. It must never
// know how the frame, the board and the capabilities came to be where they are.
package ring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// Config is what a connection is made of.
type Config struct {
	// Base is the address of the frame, of Size bytes, in which the connection is Side
	// of a urpc channel.
	Base uintptr
	Size int
	Side urpc.Side
	// Item has the number by which the peer leaves hints. It is the connection's
	// from then on, which does not wait at it but at others of that number. It may
	// be nil in the polled form.
	Item *wait.Item
	// Bell is the peer's board, and Ring rings the doorbell of the peer's program,
	// and does not block. Both may be nil in the polled form.
	Bell *urpc.Bell
	Ring func() error
	// Neighbour is the peer if it shares the core with this program: then nobody polls for
	// it while others can run, and it has a turn when it has been sent something. Nil: it
	// is elsewhere.
	Neighbour *wait.Neighbour
	// Polled has the receiver, and a sender that lacks room, poll for ever.
	Polled  bool
	Binding channel.Binding
	// Give gives a copy of a capability, with no more than its rights, to the peer and
	// returns by which ticket it goes, once it is there. It fails with channel.ErrFull if the
	// peer has no room for it now, of which there is no sign but that it succeeds. Take returns the slot with what
	// the peer gave by a ticket; with a context that has ended it must return what is there
	// already. If they are nil the connection carries no capabilities.
	Give func(context.Context, capability.Reference) (ticket uint32, err error)
	Take func(ctx context.Context, ticket uint32) (capability.Reference, error)
	// OnClose, which may be nil, is called once, by Close, when nobody uses the frame
	// any more.
	OnClose func() error
}

// Conn is one end. It implements channel.Conn.
type Conn struct {
	config  Config
	channel urpc.Channel
	set     *wait.Set // nil: there is none to look at
	gone    atomic.Bool
	// finished is why nothing is touched any more, a channel.Error; 0 while something is.
	finished atomic.Uint32
	release  sync.Once
	failed   atomic.Pointer[error] // what came of that
	life     context.Context       // until then
	end      context.CancelFunc

	// Who sends has the lock, and who receives, if there is no owner who guards the
	// connection: what is done while nobody does either waits for both.
	owner func(f func()) // has that done; with both locks

	sending      sync.Mutex
	out          *urpc.Sender
	quiet        bool // the peer need not be told of what is sent or received: it polls, on another core
	room         *wait.Item
	announceRoom func() bool // bound once
	roomSpell    spell
	crowded      bool // it was for a capability that there was no room

	receiving       sync.Mutex
	in              *urpc.Receiver
	message         *wait.Item
	announceMessage func() bool
	messageSpell    spell
	looks           int    // for a message, before a spell
	ticket          uint32 // by which a capability comes with the next message
	ticketed        bool
	held            channel.Message // which has come, but its capability has not
	holding         bool
}

// A message with the ticket of a capability.
const (
	kindTicket = 0
	ticketSize = 4
)

// New returns the end that a Config describes.
func New(config Config) (*Conn, error) {
	switch {
	case config.Size < urpc.MinFrame:
		return nil, fmt.Errorf("a channel of %d bytes: it takes %d at least", config.Size, urpc.MinFrame)
	case !config.Polled && (config.Item == nil || config.Bell == nil || config.Ring == nil):
		return nil, errors.New("a channel whose receiver sleeps takes an Item, a Bell and Ring")
	}
	c := &Conn{config: config, quiet: config.Polled && config.Neighbour == nil, looks: 1}
	if config.Polled {
		c.looks = least // a peer that is at it answers soon, and nobody else is to have the core
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.channel.Attach(config.Base, config.Size, config.Side)
	c.in, c.out = c.channel.Receiver(), c.channel.Sender()
	c.messageSpell, c.roomSpell = newSpell(config.Binding.Facts), newSpell(config.Binding.Facts)
	c.announceMessage, c.announceRoom = c.armMessage, c.armRoom
	if config.Item == nil {
		return c, nil
	}
	c.set = config.Item.Set()
	var err error
	if c.message, err = config.Item.Twin(c.messagePending); err != nil {
		return nil, err
	}
	if c.room, err = config.Item.Twin(c.roomPending); err != nil {
		c.message.Remove()
		return nil, err
	}
	return c, nil
}

// Binding implements channel.Conn.
func (c *Conn) Binding() channel.Binding { return c.config.Binding }

// Gone says that the peer has closed its end or has died. What it sent before can
// still be received; when there is nothing left the connection is given up.
func (c *Conn) Gone() {
	c.gone.Store(true)
	c.rouse()
	go c.exclusively(func() {
		if c.finished.Load() == 0 && !c.holding && !c.in.Pending() {
			c.giveUp(channel.ErrPeer)
		}
	})
}

// rouse has those who wait look at what has become of the connection.
func (c *Conn) rouse() {
	if c.message != nil {
		c.message.Wake()
		c.room.Wake()
	}
}

// hint has the peer woken.
func (c *Conn) hint() {
	if c.config.Bell != nil && c.config.Bell.Hint() && c.config.Ring() != nil {
		c.Gone() // there is nobody to be rung
	}
}

// reason returns why nothing can be sent or received any more, nil if something can.
func (c *Conn) reason() error {
	if why := channel.Error(c.finished.Load()); why != 0 {
		return why
	}
	return nil
}

// giveUp has nothing be kept of a connection over which nothing can come any more, whether
// it will be closed or not, and returns why.
func (c *Conn) giveUp(why channel.Error) error {
	if c.finished.CompareAndSwap(0, uint32(why)) {
		go c.leave()
	}
	return why
}

// Close implements channel.Conn. It waits for those who are in other methods to
// leave, and then for OnClose, unless the owner leaves that to somebody else.
func (c *Conn) Close() error {
	c.finished.Store(uint32(channel.ErrClosed))
	c.leave()
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// leave waits for those who are in methods to leave, and gives up, once, what the
// connection is made of.
func (c *Conn) leave() {
	c.release.Do(func() {
		c.end()
		c.rouse()
		c.exclusively(c.dispose)
	})
}

// dispose gives up what the connection is made of. Nobody is in other methods.
func (c *Conn) dispose() {
	c.channel.Close()
	// Both, so that either half of the peer is woken.
	if message, room := c.out.PeerWaits(), c.in.PeerWaits(); message || room {
		c.hint()
	}
	if c.config.Neighbour != nil {
		c.config.Neighbour.Leave()
	}
	for _, i := range []*wait.Item{c.message, c.room, c.config.Item} {
		if i != nil {
			i.Remove()
		}
	}
	if c.config.OnClose != nil {
		if err := c.config.OnClose(); err != nil {
			c.failed.Store(&err)
		}
	}
}

// until returns a context that ends when another does, or the connection.
func (c *Conn) until(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
