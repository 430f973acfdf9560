package urpc

import "sync/atomic"

// Channel is one side of a channel. It holds addresses as integers, so that
// freestanding code may keep it in a global. Its zero value is attached to
// nothing: it can send and receive nothing. It must not be copied.
//
// Its own methods are for one goroutine that both sends and receives. Where one
// goroutine sends and another receives, at the same time, each uses its half:
// Sender and Receiver.
type Channel struct {
	// Attach sets these, and nobody changes them.
	out, in    uintptr // the rings
	size, mask uintptr // of each, in bytes: see place.go
	own, peer  uintptr // what each side says beside the rings: see frame.go
	slots      uint32
	step       uint32 // the receiver's word acknowledges so many messages at once

	_ [SlotSize]byte // each half has its own cache lines

	// The sending half's.
	outSlot     uintptr // the next slot to write
	outEpoch    uint64  // the epoch bit in this turn of the ring
	sent        uint32  // messages written
	limit       uint32  // sent when there is no room any more, as far as is known
	asked       uint32  // messages written, of these known to NeedsDoorbell
	roomAsleep  uint64  // what our word about room holds; odd while an announcement stands
	messageRung uint64  // the announcement for which the bell was rung

	_ [SlotSize]byte

	// The receiving half's.
	inSlot        uintptr // the next slot to read
	inEpoch       uint64
	due           uint32 // received when our word is told next
	askedRoom     uint32 // due when NeedsDoorbell was last asked
	messageAsleep uint64 // as above
	roomRung      uint64

	_ [SlotSize]byte

	// What the receiving half says to the sending one: it alone stores the first two, by
	// tell.
	received uint32      // messages read, for the headers to carry
	carried  uint32      // the acknowledgement that came in the last header
	sound    atomic.Bool // attached and not broken
}

// Attach makes c side of the channel in the frame of size bytes at base, both
// multiples of SlotSize, size at least MinFrame. The frame must stay mapped
// while c is used.
func (c *Channel) Attach(base uintptr, size int, side Side) {
	slots := uintptr(Slots(size))
	ring := slots * Pitch
	*c = Channel{
		out: base + Rings, in: base + Rings + ring,
		size: ring, mask: maskOf(ring),
		own: base + wordsA, peer: base + wordsB,
		slots:    uint32(slots),
		step:     max(1, uint32(slots/4)),
		outEpoch: epochBit, inEpoch: epochBit,
		limit: uint32(slots),
	}
	if side == B {
		c.out, c.in = c.in, c.out
		c.own, c.peer = c.peer, c.own
	}
	c.outSlot, c.inSlot = c.out, c.in
	c.due = c.step
	c.askedRoom = c.due
	c.sound.Store(true)
}

// Attached says whether c has been attached to a frame.
func (c *Channel) Attached() bool { return c.slots != 0 }

// Broken says that the peer has violated the protocol. A broken channel sends
// and receives nothing any more.
func (c *Channel) Broken() bool { return c.Attached() && !c.sound.Load() }

// Sender returns c as the goroutine sees it that sends.
func (c *Channel) Sender() *Sender { return (*Sender)(c) }

// Receiver returns c as the goroutine sees it that receives.
func (c *Channel) Receiver() *Receiver { return (*Receiver)(c) }

// Free returns how many messages can be sent now. When the peer has received
// all, more than three quarters of the ring are free: whoever waits for more may
// wait for ever.
func (c *Channel) Free() int { return c.Sender().Free() }

// CanSend says whether Send would succeed.
func (c *Channel) CanSend() bool { return c.Sender().CanSend() }

// Send writes a message of a kind, which the two sides agree upon, with the payload, at most
// PayloadSize bytes. It returns false, and nothing is sent, when the ring is
// full, the channel broken, closed by the peer, or the payload too long. After one or more sends
// ask NeedsDoorbell.
func (c *Channel) Send(kind uint8, payload []byte) bool { return c.Sender().Send(kind, payload) }

// Receive takes the next message: its kind, and its payload as the first n
// bytes of buf (the rest of buf is undefined). ok is false when there is none
// or the channel is broken. After one or more receives ask NeedsDoorbell: the
// peer may wait for room.
func (c *Channel) Receive(buf *[PayloadSize]byte) (kind uint8, n int, ok bool) {
	if kind, n, ok = c.Receiver().Receive(buf); !ok && c.Sender().short() {
		c.Sender().look() // or Pending would go on saying that room has come
	}
	return kind, n, ok
}

// Pending says whether there is a message to receive, or whether room has come
// that somebody may have waited for; Receive takes note of that.
func (c *Channel) Pending() bool {
	return c.Receiver().Pending() || c.Sender().short() && c.Sender().Pending()
}

// Announce tells the peer that this side stops polling: from now on the peer
// is to ring the doorbell when it sends, or when it has received what fills the
// ring. It returns false, and announces nothing, when a message or room has come
// meanwhile. After it has returned true, Withdraw must be called before polling
// goes on.
func (c *Channel) Announce() bool {
	// With more than three quarters of the ring free nobody can wait for room.
	if c.Sender().short() && !c.Sender().Announce() {
		return false
	}
	if !c.Receiver().Announce() {
		c.Sender().Withdraw()
		return false
	}
	return true
}

// Withdraw takes an announcement back. Without one it does nothing.
func (c *Channel) Withdraw() {
	c.Sender().Withdraw()
	c.Receiver().Withdraw()
}

// NeedsDoorbell says whether the peer sleeps and must be woken because of what
// was sent or received since the last call. It says so once for each announcement:
// the caller must then ring.
func (c *Channel) NeedsDoorbell() bool {
	// Most often there is nothing: that is to cost no call.
	return (c.sent != c.asked || c.due != c.askedRoom) && c.needsDoorbell()
}

func (c *Channel) needsDoorbell() bool {
	sent, received := c.Sender().NeedsDoorbell(), c.Receiver().NeedsDoorbell()
	return sent || received
}
