package urpc

import "sync/atomic"

// Close tells the peer that this side sends and receives nothing any more. The peer
// may sleep: ask PeerWaits afterwards, of both halves. Neither half may be in use.
func (c *Channel) Close() {
	if c.slots == 0 {
		return
	}
	atomic.StoreUint64((*uint64)(at(c.own+closedWord)), 1)
	c.asked = c.sent - 1 // as if something had been sent, and received
	c.askedRoom = c.due - 1
}

// PeerClosed says whether the peer sends and receives nothing any more. What it sent
// before is there to be received then.
func (c *Channel) PeerClosed() bool {
	return c.slots != 0 && atomic.LoadUint64((*uint64)(at(c.peer+closedWord))) != 0
}

// PeerClosed is as Channel.PeerClosed.
func (s *Sender) PeerClosed() bool { return (*Channel)(s).PeerClosed() }

// PeerClosed is as Channel.PeerClosed.
func (r *Receiver) PeerClosed() bool { return (*Channel)(r).PeerClosed() }

// Break has the channel be Broken, for a user to whom the peer has sent what it must
// not.
func (c *Channel) Break() { c.sound.Store(false) }
