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
	slot := r.inSlot
	if !r.sound.Load() {
		return 0, 0, false
	}
	header := atomic.LoadUint64((*uint64)(at(slot + PayloadSize)))
	if header&epochBit != r.inEpoch {
		return 0, 0, false
	}
	// Copy first, judge the copy: the peer may write the slot all the while.
	*(*words)(unsafe.Pointer(buf)) = *(*words)(at(slot))
	n = int(uint16(header >> lengthShift))
	if n > PayloadSize {
		r.sound.Store(false)
		return 0, 0, false
	}
	tell(&r.carried, uint32(header>>ackShift)) // the sender judges it
	read := r.received + 1
	tell(&r.received, read)
	if read == r.due {
		// By the word more seldom than by the headers that this side sends: who has room by
		// these never asks for the word's line, so that it costs no transfer.
		r.due += r.step
		tell((*uint32)(at(r.own+ackWord)), read)
	}
	place := next(slot-r.in, r.size, r.mask)
	if place == 0 {
		r.inEpoch ^= epochBit
	}
	slot = r.in + place
	r.inSlot = slot
	// Have the next slot's line come while the caller is busy with this message: nobody
	// waits for what is loaded.
	atomic.LoadUint64((*uint64)(at(slot + PayloadSize)))
	return uint8(header >> kindShift), n, true
}

// Pending says whether there is a message to receive.
func (r *Receiver) Pending() bool {
	return r.sound.Load() && atomic.LoadUint64((*uint64)(at(r.inSlot+PayloadSize)))&epochBit == r.inEpoch
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
	if !r.ask() {
		return false
	}
	return toRing(r.peer+roomWord, &r.roomRung)
}

// PeerWaits says whether the peer waits for room and must be woken because of what was
// received since the last call, as NeedsDoorbell does, but each time while the
// announcement stands: see Sender.PeerWaits.
func (r *Receiver) PeerWaits() bool {
	if !r.ask() {
		return false
	}
	return atomic.LoadUint64((*uint64)(at(r.peer+roomWord)))&1 != 0
}

// ask says whether something was acknowledged that it has not yet said so of. The store is a
// full fence, as in Sender.ask.
func (r *Receiver) ask() bool {
	if r.askedRoom == r.due {
		return false
	}
	atomic.StoreUint32(&r.askedRoom, r.due)
	return true
}
