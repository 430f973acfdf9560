package urpc

import (
	"sync/atomic"
	"unsafe"
)

// Ack is the kind of the messages that a channel sends by itself, when a quarter
// of a ring has been received and nothing went back that could carry the
// acknowledgement. Users' kinds are 1 to 255.
const Ack = 0

// Channel is one side of a channel. It holds addresses as integers, so that
// freestanding code may keep it in a global. It is not safe for concurrent
// use. Its zero value is attached to nothing: it can send and receive nothing.
type Channel struct {
	out, in             uintptr // the rings
	ownSleep, peerSleep uintptr // the sleep words
	slots               uint32

	outIndex, inIndex uint32 // next slot to write, to read
	outEpoch, inEpoch uint64 // its epoch bit in this turn

	sent, acked       uint32 // messages written; of these, acknowledged by the peer
	received, ackSent uint32 // messages read; of these, acknowledged by us

	asleep uint64 // what our sleep word holds; odd while an announcement stands
	rung   uint64 // the peer's announcement for which the doorbell was rung
	dirty  bool   // written since NeedsDoorbell was last asked
	broken bool
}

// Attach makes c side of the channel in the frame of size bytes at base, both
// multiples of SlotSize, size at least MinFrame. The frame must stay mapped
// while c is used.
func (c *Channel) Attach(base uintptr, size int, side Side) {
	slots := Slots(size)
	first := base + firstRing
	second := first + uintptr(slots)*SlotSize
	*c = Channel{
		out: first, in: second,
		ownSleep: base + sleepA, peerSleep: base + sleepB,
		slots:    uint32(slots),
		outEpoch: epochBit, inEpoch: epochBit,
	}
	if side == B {
		c.out, c.in = second, first
		c.ownSleep, c.peerSleep = c.peerSleep, c.ownSleep
	}
}

// Attached says whether c has been attached to a frame.
func (c *Channel) Attached() bool { return c.slots != 0 }

// Broken says that the peer has violated the protocol. A broken channel sends
// and receives nothing any more.
func (c *Channel) Broken() bool { return c.broken }

// Free returns how many messages can be sent now. It looks at what has been
// received only: the peer's acknowledgements arrive through Receive. When the
// peer has received all, three quarters of the ring less one become free, if not
// more: whoever waits for more waits for ever.
func (c *Channel) Free() int {
	// The last slot is kept for an Ack. Were it not, both sides could fill
	// their rings and neither could tell the other that it has read them.
	if free := c.freeSlots(); free > 1 {
		return int(free) - 1
	}
	return 0
}

func (c *Channel) freeSlots() uint32 {
	if c.broken {
		return 0
	}
	return c.slots - (c.sent - c.acked)
}

// CanSend says whether Send would succeed.
func (c *Channel) CanSend() bool { return c.Free() > 0 }

// Send writes a message of a kind from 1 to 255 with the payload, at most
// PayloadSize bytes. It returns false, and nothing is sent, when the ring is
// full, the channel broken or the payload too long. After one or more sends
// ask NeedsDoorbell.
func (c *Channel) Send(kind uint8, payload []byte) bool {
	if len(payload) > PayloadSize || !c.CanSend() {
		return false
	}
	c.write(kind, payload)
	return true
}

func (c *Channel) write(kind uint8, payload []byte) {
	slot := c.out + uintptr(c.outIndex)*SlotSize
	copy(unsafe.Slice((*byte)(at(slot)), PayloadSize), payload)
	header := c.outEpoch |
		uint64(kind)<<kindShift |
		uint64(len(payload))<<lengthShift |
		uint64(c.received)<<ackShift
	// The store publishes the payload before it, and is a full fence before
	// NeedsDoorbell's load after it.
	atomic.StoreUint64((*uint64)(at(slot+PayloadSize)), header)
	c.ackSent = c.received
	c.sent++
	c.dirty = true
	if c.outIndex++; c.outIndex == c.slots {
		c.outIndex = 0
		c.outEpoch ^= epochBit
	}
}

// Receive takes the next message: its kind, and its payload as the first n
// bytes of buf (the rest of buf is undefined). ok is false when there is none
// or the channel is broken. It may send an Ack by itself: after one or more
// receives ask NeedsDoorbell.
func (c *Channel) Receive(buf *[PayloadSize]byte) (kind uint8, n int, ok bool) {
	for {
		kind, n, ok = c.read(buf)
		c.acknowledge()
		if !ok || kind != Ack {
			return kind, n, ok
		}
	}
}

// Pending says whether there is a slot to read, an Ack perhaps.
func (c *Channel) Pending() bool {
	return c.slots != 0 && !c.broken &&
		atomic.LoadUint64((*uint64)(at(c.in+uintptr(c.inIndex)*SlotSize+PayloadSize)))&epochBit == c.inEpoch
}

func (c *Channel) read(buf *[PayloadSize]byte) (kind uint8, n int, ok bool) {
	if c.slots == 0 || c.broken {
		return 0, 0, false
	}
	slot := c.in + uintptr(c.inIndex)*SlotSize
	header := atomic.LoadUint64((*uint64)(at(slot + PayloadSize)))
	if header&epochBit != c.inEpoch {
		return 0, 0, false
	}
	// Copy first, judge the copy: the peer may write the slot all the while.
	*buf = *(*[PayloadSize]byte)(at(slot))
	kind = uint8(header >> kindShift)
	n = int(uint16(header >> lengthShift))
	ack := uint32(header >> ackShift)
	if n > PayloadSize || ack-c.acked > c.sent-c.acked {
		c.broken = true
		return 0, 0, false
	}
	c.acked = ack
	c.received++
	if c.inIndex++; c.inIndex == c.slots {
		c.inIndex = 0
		c.inEpoch ^= epochBit
	}
	return kind, n, true
}

// acknowledge sends an Ack when a quarter of a ring waits for it, and two
// messages at least: were it one, Acks would answer Acks for ever. It may use
// the last slot. That one suffices: were both sides full and each owing an Ack,
// the side whose last slot was written first has had at least that much
// acknowledged by the other's, since no Ack is sent for less.
func (c *Channel) acknowledge() {
	if c.received-c.ackSent >= max(2, c.slots/4) && c.freeSlots() > 0 {
		c.write(Ack, nil)
	}
}

// Announce tells the peer that this side stops polling: from now on the peer
// is to ring the doorbell when it sends. It returns false, and announces
// nothing, when a message has come in meanwhile. After it has returned true,
// Withdraw must be called before polling goes on.
func (c *Channel) Announce() bool {
	if c.slots == 0 {
		return true
	}
	c.asleep |= 1
	// A full fence between the announcement and the last look at the ring;
	// the peer has one between its message and its look at the word. So at
	// least one of the two sees what the other wrote.
	atomic.StoreUint64((*uint64)(at(c.ownSleep)), c.asleep)
	if c.Pending() {
		c.Withdraw()
		return false
	}
	return true
}

// Withdraw takes an announcement back. Without one it does nothing.
func (c *Channel) Withdraw() {
	if c.asleep&1 != 0 {
		c.asleep++
		atomic.StoreUint64((*uint64)(at(c.ownSleep)), c.asleep)
	}
}

// NeedsDoorbell says whether the peer sleeps and must be woken because of what
// was sent since the last call. It says so once for each announcement: the
// caller must then ring.
func (c *Channel) NeedsDoorbell() bool {
	if !c.dirty {
		return false
	}
	c.dirty = false
	// Odd words are announcements, each its own number.
	word := atomic.LoadUint64((*uint64)(at(c.peerSleep)))
	if word&1 == 0 || word == c.rung {
		return false
	}
	c.rung = word
	return true
}
