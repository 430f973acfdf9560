package urpc

import (
	"sync/atomic"
	"unsafe"
)

// Receiver is the half of a Channel that receives. One goroutine at a time may
// use it, while another uses the Sender.
type Receiver Channel

// Receive is as Channel.Receive.
func (r *Receiver) Receive(buf *[PayloadSize]byte) (kind uint8, n int, ok bool) {
	slot := r.inNext
	if !r.sound.Load() {
		return 0, 0, false
	}
	header := atomic.LoadUint64((*uint64)(at(slot + PayloadSize)))
	if header&epochBit != r.inEpoch {
		return 0, 0, false
	}
	// Copy first, judge the copy: the peer may write the slot all the while.
	move((*words)(unsafe.Pointer(buf)), (*words)(at(slot)))
	n = int(uint16(header >> lengthShift))
	if n > PayloadSize {
		r.sound.Store(false)
		return 0, 0, false
	}
	if ack := uint32(header >> ackShift); ack != r.carried.Load() {
		r.carried.Store(ack) // the sender judges it
	}
	if r.untold--; r.untold == 0 {
		r.acknowledge()
	}
	if slot += SlotSize; slot == r.inEnd {
		slot = r.in
		r.inEpoch ^= epochBit
	}
	r.inNext = slot
	// Have the next slot's line come while the caller is busy with this message: nobody
	// waits for what is loaded.
	atomic.LoadUint64((*uint64)(at(slot + PayloadSize)))
	return uint8(header >> kindShift), n, true
}

// pass is how many messages are acknowledged at once to the headers that this side
// sends. Its word is told half as often: who has room by the headers never asks for
// the word's line, so that it costs no transfer.
func (r *Receiver) pass() uint32 { return (r.step + 1) / 2 }

// acknowledge says that so many more messages have been received.
func (r *Receiver) acknowledge() {
	r.untold = r.pass()
	read := r.received.Load() + r.untold
	r.received.Store(read)
	if read-r.told < r.step {
		return
	}
	r.told = read
	// A full fence before NeedsDoorbell's load, as in Sender.ask.
	atomic.StoreUint32((*uint32)(at(r.own+ackWord)), read)
	r.acknowledged = true
}

// Pending says whether there is a message to receive.
func (r *Receiver) Pending() bool {
	return r.sound.Load() && atomic.LoadUint64((*uint64)(at(r.inNext+PayloadSize)))&epochBit == r.inEpoch
}

// Broken is as Channel.Broken.
func (r *Receiver) Broken() bool { return (*Channel)(r).Broken() }

// Announce tells the peer that this side no longer polls the ring: the peer is to
// ring the doorbell when it sends. It returns false, and announces nothing, when a
// message has come in meanwhile. After it has returned true, Withdraw must be
// called before polling goes on.
func (r *Receiver) Announce() bool {
	if r.slots == 0 {
		return true
	}
	r.messageAsleep |= 1
	// A full fence between the announcement and the last look at the ring;
	// the peer has one between its message and its look at the word. So at
	// least one of the two sees what the other wrote.
	atomic.StoreUint64((*uint64)(at(r.own+messageWord)), r.messageAsleep)
	if r.Pending() {
		r.Withdraw()
		return false
	}
	return true
}

// Withdraw takes an announcement back. Without one it does nothing.
func (r *Receiver) Withdraw() {
	if r.messageAsleep&1 != 0 {
		r.messageAsleep++
		atomic.StoreUint64((*uint64)(at(r.own+messageWord)), r.messageAsleep)
	}
}

// NeedsDoorbell says whether the peer waits for room and must be woken because of
// what was received since the last call. It says so once for each announcement:
// the caller must then ring.
func (r *Receiver) NeedsDoorbell() bool {
	if !r.acknowledged {
		return false
	}
	r.acknowledged = false
	return toRing(r.peer+roomWord, &r.roomRung)
}

// PeerWaits says whether the peer waits for room and must be woken because of what was
// received since the last call, as NeedsDoorbell does, but each time while the
// announcement stands: see Sender.PeerWaits.
func (r *Receiver) PeerWaits() bool {
	if !r.acknowledged {
		return false
	}
	r.acknowledged = false
	return atomic.LoadUint64((*uint64)(at(r.peer+roomWord)))&1 != 0
}
